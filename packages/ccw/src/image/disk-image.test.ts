import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DiskImage } from "./disk-image.js";
import { isImageError } from "./error.js";
import { trackAddress } from "./geometry.js";
import { herculesDisk } from "./hercules.test.fixture.js";
import type { Track } from "./track.js";

function filled(image: DiskImage, track: number, value: number): Track {
  const home = trackAddress(image.geometry, track);
  const record = (number: number, data: Uint8Array) => ({
    ...home,
    record: number,
    key: new Uint8Array(0),
    data,
  });
  return {
    home,
    records: [record(0, new Uint8Array(8)), record(1, new Uint8Array(100 + value).fill(value))],
  };
}

const fillOf = ({ records }: Track): number => records[1]?.data[0] ?? -1;

test("a write that comes while a flush is under way is not lost", async () => {
  const disk = herculesDisk("loaded-zlib.cckd");
  const image = await DiskImage.open("loaded-zlib.cckd", { access: "read-write", disk });
  await image.write(7, filled(image, 7, 1));
  const flushing = image.flush();
  await image.write(7, filled(image, 7, 2));
  const read = image.read(7);
  await flushing;
  assert.equal(fillOf(await read), 2);
  assert.equal(fillOf(await image.read(7)), 2);
  await image.close();
  const after = await DiskImage.open("loaded-zlib.cckd", { access: "read-only", disk });
  assert.equal(fillOf(await after.read(7)), 2);
});

test("closing flushes, and whoever reads or writes afterwards is told", async () => {
  const disk = herculesDisk("loaded.ckd");
  const image = await DiskImage.open("loaded.ckd", { access: "read-write", disk });
  await image.write(7, filled(image, 7, 9));
  await Promise.all([image.close(), image.close()]);
  await assert.rejects(image.read(8), (error) => isImageError(error, "image-closed"));
  await assert.rejects(image.write(8, filled(image, 8, 1)), (error) => isImageError(error, "image-closed"));
  const after = await DiskImage.open("loaded.ckd", { access: "read-only", disk });
  assert.equal(fillOf(await after.read(7)), 9);
});

test("where nothing can be written, refused writes do not pile up, and what was kept is written once there is room", async () => {
  for (const name of ["loaded.ckd", "loaded-zlib.cckd"] as const) {
    const disk = herculesDisk(name);
    const image = await DiskImage.open(name, { access: "read-write", disk, changedTracks: 3 });
    const old = fillOf(await image.read(11));
    disk.limit = 100;
    await image.write(1, filled(image, 1, 1));
    await image.write(2, filled(image, 2, 2));
    for (const track of [3, 10, 11, 12, 1])
      await assert.rejects(image.write(track, filled(image, track, 40 + track)), (error) =>
        isImageError(error, "image-full"),
      );
    assert.equal(image.changedTracks, 3);
    assert.equal(fillOf(await image.read(11)), old);
    disk.limit = Number.POSITIVE_INFINITY;
    await image.write(11, filled(image, 11, 7));
    await image.close();
    const after = await DiskImage.open(name, { access: "read-only", disk });
    const fills = [];
    for (const track of [1, 2, 3, 11]) fills.push(fillOf(await after.read(track)));
    assert.deepEqual(fills, [41, 2, 43, 7], name);
  }
});

test("a track that the disk has not, and content that is of another track or too long, are refused", async () => {
  const disk = herculesDisk("loaded.ckd");
  const image = await DiskImage.open("loaded.ckd", { access: "read-write", disk });
  for (const track of [-1, 60, 1.5, Number.NaN])
    await assert.rejects(image.read(track), (error) => isImageError(error, "image-geometry"));
  const good = filled(image, 7, 1);
  const [zero, one] = good.records;
  assert.ok(zero && one);
  const key = new Uint8Array(0xff);
  for (const [track, content] of [
    [8, good],
    [7, { ...good, records: [] }],
    [7, { ...good, records: [one] }],
    [7, { ...good, records: [zero, { ...one, data: new Uint8Array(60_000) }] }],
    [7, { ...good, records: [zero, { ...one, key: new Uint8Array(256) }] }],
    [
      7,
      {
        ...good,
        records: [zero, { cylinder: 0xffff, head: 0xffff, record: 0xff, key, data: new Uint8Array(0xffff) }],
      },
    ],
  ] as const)
    await assert.rejects(image.write(track, content), (error) => isImageError(error, "image-track"));
  await image.close();
  assert.equal(disk.writes, 0);
});

const track = fc.integer({ min: 0, max: 12 });
const action = fc.oneof(
  fc.record({ do: fc.constant("read" as const), track }),
  fc.record({ do: fc.constant("write" as const), track, value: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ do: fc.constant("flush" as const) }),
);

for (const name of ["loaded.ckd", "loaded-zlib.cckd"] as const)
  test(`with any overlapping calls, a read of ${name} gives what was written last`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (actions, cachedTracks, changedTracks) => {
          const disk = herculesDisk(name);
          const image = await DiskImage.open(name, {
            access: "read-write",
            disk,
            cachedTracks,
            changedTracks,
          });
          const model = new Map<number, number>();
          const calls: Promise<unknown>[] = [];
          for (const each of actions) {
            if (each.do === "flush") calls.push(image.flush());
            else if (each.do === "write") {
              model.set(each.track, each.value);
              calls.push(image.write(each.track, filled(image, each.track, each.value)));
            } else {
              const call = image.read(each.track);
              calls.push(call);
              // Half of the reads overlap with what comes next; the others are waited for, and nothing is written meanwhile.
              if (each.track % 2 === 1) continue;
              const expected = model.get(each.track);
              const found = fillOf(await call);
              if (expected !== undefined) assert.equal(found, expected);
            }
          }
          await Promise.all(calls);
          for (const [at, value] of model) assert.equal(fillOf(await image.read(at)), value);
          await image.close();
          const after = await DiskImage.open(name, { access: "read-only", disk });
          for (const [at, value] of model) assert.equal(fillOf(await after.read(at)), value);
        },
      ),
      { numRuns: 30 },
    );
  });
