import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DiskImage } from "./disk-image.js";
import { isImageError } from "./error.js";
import { trackAddress } from "./geometry.js";
import { type HerculesImage, herculesDisk } from "./hercules.test.fixture.js";
import { CrashError, type MemoryDisk } from "./memory-disk.test.fixture.js";
import { encodeTrack, type Track } from "./track.js";

/** Different for each version; of a length and of randomness that make it pack to different sizes. */
function version(image: DiskImage, track: number, number: number): Track {
  const home = trackAddress(image.geometry, track);
  const key = new Uint8Array(0);
  const length = 100 + ((number * 7919 + track * 104_729) % 9000);
  const data = Uint8Array.from({ length }, (_, at) => (at % 3 === 0 ? at * number * 31 : number));
  const records = [
    { ...home, record: 0, key, data: new Uint8Array(8) },
    { ...home, record: 1, key, data },
  ];
  // Some versions are empty tracks, which a compressed image does not store.
  return { home, records: number % 5 === 0 ? records.slice(0, 1) : records };
}

const hex = (track: Track): string => Buffer.from(encodeTrack(track)).toString("hex");

/** Tracks of one flush. */
type Flush = readonly number[];
const tracksTouched = [0, 1, 2, 14, 20, 40, 59];
const flushes = fc.array(fc.uniqueArray(fc.constantFrom(...tracksTouched), { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 7,
});

async function contents(image: DiskImage): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const track of tracksTouched) found.set(track, hex(await image.read(track)));
  return found;
}

/** Runs until the disk dies; gives what must be there, and what may be instead. */
async function runUntilCrash(disk: MemoryDisk, name: HerculesImage, plan: readonly Flush[]) {
  const sure = new Map<number, string>();
  let maybe = new Map<number, string>();
  try {
    const image = await DiskImage.open(name, { access: "read-write", disk });
    for (const [number, tracks] of plan.entries()) {
      maybe = new Map();
      for (const track of tracks) {
        const content = version(image, track, number + 1);
        await image.write(track, content);
        maybe.set(track, hex(content));
      }
      await image.flush();
      for (const [track, content] of maybe) sure.set(track, content);
      maybe = new Map();
    }
    await image.close();
  } catch (error) {
    if (!(error instanceof CrashError)) throw error;
  }
  return { sure, maybe };
}

for (const name of ["loaded.ckd", "loaded-zlib.cckd", "loaded-swapped.cckd", "linux.cckd"] as const)
  test(`after a crash at any step, every track of ${name} is what it was or what it became`, async () => {
    const original = await contents(
      await DiskImage.open(name, { access: "read-only", disk: herculesDisk(name), cachedTracks: 0 }),
    );
    await fc.assert(
      fc.asyncProperty(flushes, fc.nat(60), fc.infiniteStream(fc.boolean()), async (plan, step, luck) => {
        const disk = herculesDisk(name);
        disk.crashAt = step;
        const { sure, maybe } = await runUntilCrash(disk, name, plan);
        const after = disk.afterCrash(() => luck.next().value as boolean);
        for (const access of ["read-only", "read-write"] as const) {
          const image = await DiskImage.open(name, { access, disk: after });
          for (const [track, found] of await contents(image)) {
            const before = sure.get(track) ?? original.get(track);
            assert.ok(found === before || found === maybe.get(track), `track ${track}, opened ${access}`);
          }
          await image.close();
        }
        // What is left can be written again, and is whole when it is closed in order.
        const again = await DiskImage.open(name, { access: "read-write", disk: after });
        await again.write(1, version(again, 1, 99));
        await again.close();
        const whole = await DiskImage.open(name, { access: "read-only", disk: after });
        assert.equal(hex(await whole.read(1)), hex(version(whole, 1, 99)));
        assert.equal(whole.format.state, "closed");
        await whole.close();
        assert.deepEqual(after.names(), [name]);
      }),
      { numRuns: name === "loaded.ckd" ? 25 : 35, endOnFailure: true },
    );
  });

for (const name of ["loaded.ckd", "loaded-zlib.cckd"] as const)
  test(`a full disk fails the flush, keeps what was, and ${name} can be written when there is room`, async () => {
    const disk = herculesDisk(name);
    const image = await DiskImage.open(name, { access: "read-write", disk });
    const before = hex(await image.read(2));
    const wanted = version(image, 2, 3);
    await image.write(2, wanted);
    disk.limit = 1000;
    await assert.rejects(image.flush(), (error) => isImageError(error, "image-full"));
    assert.equal(hex(await image.read(2)), hex(wanted));
    const other = await DiskImage.open(name, { access: "read-only", disk: disk.afterCrash(() => true) });
    assert.equal(hex(await other.read(2)), before);
    disk.limit = Number.POSITIVE_INFINITY;
    await image.close();
    const after = await DiskImage.open(name, { access: "read-only", disk });
    assert.equal(hex(await after.read(2)), hex(wanted));
  });
