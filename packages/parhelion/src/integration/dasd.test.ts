/** Disks that the command serves, used by somebody who has nothing but the socket, while the command is killed. */
import assert from "node:assert/strict";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { CcwBlockDevice, DiskImage, isBlockError } from "parhelion-ccw";
import { createRuntime } from "parhelion-core";
import { inWorkplace, type Workplace } from "../command.test.fixture.js";

const blockBytes = 4096;
const blocksPerTrack = 12;
/** Behind the label, whose records are shorter. */
const start = 24;
const count = 120;
const transfer = 30;
/** No machine is so busy that a channel program takes longer. */
const timeoutMs = 60_000;

function pattern(blocks: number, seed: number): Buffer {
  return Buffer.from(
    Uint8Array.from({ length: blocks * blockBytes }, (_, index) => index * 13 + (index >> 9) + seed * 41),
  );
}

async function blockOf(image: DiskImage, block: number): Promise<Buffer> {
  const { records } = await image.read(Math.floor(block / blocksPerTrack));
  const record = records.find((each) => each.record === (block % blocksPerTrack) + 1);
  assert.equal(record?.data.length, blockBytes, `block ${block} is on the image`);
  return Buffer.from(record?.data ?? []);
}

async function attach(place: Workplace, image: string) {
  const socket = join(place.directory, "disk.sock");
  const host = place.start(["dasd", "attach", image, "--socket", socket, "--json"]);
  await host.says("\n");
  return { host, socket };
}

const codeOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "done";
  } catch (error) {
    assert.ok(isBlockError(error), String(error));
    return error.code;
  }
};

async function turns(number: number): Promise<void> {
  for (let turn = 0; turn < number; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

for (const name of ["linux.cckd", "linux-copied.ckd"])
  test(`${name}: what was acknowledged before its host was killed in the middle of writes stands on it`, () =>
    inWorkplace(async (place) => {
      const path = join(place.directory, name);
      writeFileSync(
        path,
        gunzipSync(readFileSync(new URL(`../../../ccw/fixtures/${name}.gz`, import.meta.url))),
      );
      let seed = 0;
      /** By block: what it was when it was last acknowledged, and what it may have become since. */
      const known = new Map<number, readonly Buffer[]>();
      const fresh = await DiskImage.open(path, { access: "read-only" });
      for (let block = start; block < start + 12 * 15 + count; block += 1)
        known.set(block, [await blockOf(fresh, block)]);
      await fresh.close();
      for (let round = 0; round < 3; round += 1) {
        const { host, socket } = await attach(place, path);
        const lost: string[] = [];
        const disk = await CcwBlockDevice.openAt(createRuntime(), socket, {
          transferBlocks: transfer,
          timeoutMs,
          lost: () => void lost.push("lost"),
        });
        for (let done = 0; done <= 3; done += 1) {
          seed += 1;
          const first = start + 12 * ((seed * 5) % 20);
          const bytes = pattern(count, seed);
          const write = codeOf(disk.write(first, bytes));
          if (done === 3) {
            await turns(20 * round);
            host.kill("SIGKILL");
          }
          const outcome = await write;
          if (done < 3) assert.equal(outcome, "done");
          else assert.match(outcome, /^(block-gone|done)$/);
          for (let index = 0; index < count; index += 1) {
            const block = bytes.subarray(index * blockBytes, (index + 1) * blockBytes);
            const before = known.get(first + index) ?? [];
            known.set(first + index, outcome === "done" ? [block] : [...before, block]);
          }
        }
        await host.ended;
        assert.equal(await codeOf(disk.read(start, 1)), "block-gone");
        assert.deepEqual(lost, ["lost"]);
        await disk.close();
        // Whoever opens it for writing next puts in what was durable beside it.
        const image = await DiskImage.open(path, { access: "read-write" });
        for (const [block, contents] of known) {
          const there = await blockOf(image, block);
          const isKnown = contents.some((bytes) => bytes.equals(there));
          assert.ok(isKnown, `block ${block} in round ${round} is something else`);
          known.set(block, [there]);
        }
        await image.close();
      }
    }));

test("a host that is asked to end takes the disk from its guest, who is told so", () =>
  inWorkplace(async (place) => {
    const path = join(place.directory, "disk.ckd");
    writeFileSync(
      path,
      gunzipSync(readFileSync(new URL("../../../ccw/fixtures/linux-copied.ckd.gz", import.meta.url))),
    );
    const { host, socket } = await attach(place, path);
    const runtime = createRuntime();
    const disk = await CcwBlockDevice.openAt(runtime, socket, { timeoutMs });
    await disk.write(start, pattern(count, 1));
    // There is one guest at a time.
    await assert.rejects(CcwBlockDevice.openAt(runtime, socket), { code: "EBUSY" });
    host.kill("SIGTERM");
    assert.deepEqual([(await host.ended).status, host.err], [0, ""]);
    assert.match(await codeOf(disk.read(start, 1)), /^block-(gone|closed)$/);
    await disk.close();
    const again = await attach(place, path);
    const next = await CcwBlockDevice.openAt(runtime, again.socket, { timeoutMs });
    assert.ok(pattern(count, 1).equals(await next.read(start, count)));
    await next.close();
    again.host.kill("SIGTERM");
    assert.equal((await again.host.ended).status, 0);
  }));

test("docs/ccw.md shows a program that works", () =>
  inWorkplace(async (place) => {
    const page = readFileSync(new URL("../../../../docs/ccw.md", import.meta.url), "utf8");
    const [, code] = /`blocks\.mjs`[\s\S]*?```js\n([\s\S]*?)```/.exec(page) ?? [];
    assert.ok(code !== undefined, "it is not there any more");
    // It lies somewhere else here.
    const program = code.replace(/"(parhelion-\w+)"/g, (_, name: string) => `"${import.meta.resolve(name)}"`);
    writeFileSync(join(place.directory, "blocks.mjs"), program);
    const path = join(place.directory, "linux.cckd");
    writeFileSync(
      path,
      gunzipSync(readFileSync(new URL("../../../ccw/fixtures/linux.cckd.gz", import.meta.url))),
    );
    const host = place.start(["dasd", "attach", path, "--socket", "linux.sock", "--json"]);
    await host.says("\n");
    const { status, out, err } = await place.program(process.execPath, ["blocks.mjs"]).ended;
    assert.deepEqual([status, err], [0, ""]);
    const said = [...code.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(([, comment]) => comment);
    assert.deepEqual(out.trim().split("\n"), said);
    host.kill("SIGTERM");
    assert.equal((await host.ended).status, 0);
  }));

test("a disk that is attached can be looked into through its socket, as into its file", () =>
  inWorkplace(async (place) => {
    const path = join(place.directory, "disk.cckd");
    writeFileSync(
      path,
      gunzipSync(readFileSync(new URL("../../../ccw/fixtures/loaded-zlib.cckd.gz", import.meta.url))),
    );
    const { host } = await attach(place, path);
    for (const words of [
      ["ls", "IMAGE"],
      ["ls", "IMAGE", "PARHEL.TEST.LIB"],
      ["cat", "IMAGE", "PARHEL.TEST.LIB(HELLO)"],
      ["cat", "IMAGE", "PARHEL.TEST.WIDE"],
    ]) {
      const [far, near] = ["disk.sock", "disk.cckd"].map((image) =>
        place.run(["dasd", ...words.map((word) => (word === "IMAGE" ? image : word))]),
      );
      assert.deepEqual(await far, await near, words.join(" "));
      assert.equal((await far)?.status, 0);
    }
    symlinkSync("disk.sock", join(place.directory, "link"));
    for (const name of ["disk.sock", "link"]) {
      const { out } = await place.run(["dasd", "info", name]);
      assert.match(
        out,
        new RegExp(
          `^disk {5}3390-1, 1113 cylinders .*\\nvolume {3}PHL001, owner HERCULES\\nsocket .*/${name}\\n$`,
        ),
      );
    }
    host.kill("SIGTERM");
    assert.equal((await host.ended).status, 0);
  }));
