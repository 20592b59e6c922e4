/** Real disk images, read and written by a process that has nothing but a socket. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { DiskImage } from "../image/disk-image.js";
import { blocksOf, Guest } from "./guest.test.fixture.js";
import { pattern } from "./pattern.test.fixture.js";
import { served } from "./served.test.fixture.js";

for (const name of ["linux.cckd.gz", "linux-copied.ckd.gz"])
  test(`a guest reads of ${name} what stands in it, and what it writes stands there`, async () => {
    const content = gunzipSync(await readFile(new URL(`../../fixtures/${name}`, import.meta.url)));
    const machine = await served();
    const { image, path, file } = await machine.serve({ content, durable: "program" });
    const guest = new Guest();
    const { blocks } = (await guest.open(path)) as { blocks: number };
    assert.equal(blocks, image.geometry.tracks * 12);
    for (const first of [24, blocks - 120])
      assert.ok((await guest.read(first, 120)).equals(await blocksOf(image, first, 120)), `from ${first}`);
    await guest.must({ do: "write", first: 30, count: 100, seed: 3 });
    assert.ok((await guest.read(30, 100)).equals(pattern(100, 3)));
    await guest.must({ do: "close" });
    await guest.end();
    await machine.finish(async () => {
      const again = await DiskImage.open(file, { access: "read-only" });
      assert.ok((await blocksOf(again, 30, 100)).equals(pattern(100, 3)));
      await again.close();
    });
  });

test("a guest formats a disk that has no blocks, and the next one finds them", async () => {
  const machine = await served();
  const { image, path } = await machine.serve({ format: 1 });
  const first = new Guest();
  await first.open(path);
  assert.equal(await first.outcome({ do: "read", first: 0, count: 1 }), "block-format");
  await first.must({ do: "format", first: 0, count: 30 });
  await first.must({ do: "write", first: 100, count: 130, seed: 5 });
  await first.must({ do: "close" });
  await first.end();
  const second = new Guest();
  await second.open(path, { transferBlocks: 7 });
  assert.ok((await second.read(100, 130)).equals(pattern(130, 5)));
  assert.ok((await second.read(0, 100)).every((byte) => byte === 0));
  assert.ok((await blocksOf(image, 100, 130)).equals(pattern(130, 5)));
  // It leaves without a word.
  await second.kill();
  await machine.finish();
});

test("two guests on two subchannels at once do not meet", async () => {
  const machine = await served();
  const disks = [await machine.serve(), await machine.serve()];
  const guests = disks.map(() => new Guest());
  await Promise.all(guests.map((guest, i) => guest.open(disks[i]?.path ?? "")));
  const rounds = 6;
  await Promise.all(
    guests.map(async (guest, i) => {
      for (let round = 0; round < rounds; round += 1) {
        const seed = 10 * round + i;
        await guest.must({ do: "write", first: 50 * round, count: 50, seed });
        assert.ok(
          (await guest.read(50 * round, 50)).equals(pattern(50, seed)),
          `round ${round} of guest ${i}`,
        );
      }
    }),
  );
  for (const [i, { image }] of disks.entries())
    for (let round = 0; round < rounds; round += 1)
      assert.ok((await blocksOf(image, 50 * round, 50)).equals(pattern(50, 10 * round + i)), `disk ${i}`);
  await Promise.all(guests.map((guest) => guest.must({ do: "close" })));
  await Promise.all(guests.map((guest) => guest.end()));
  await machine.finish();
});
