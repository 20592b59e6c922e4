import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Dstat } from "parhelion-buses";
import { DiskImage } from "../image/disk-image.js";
import { herculesDisk } from "../image/hercules.test.fixture.js";
import type { Track } from "../image/track.js";
import {
  cchh,
  count,
  defineExtent,
  locate,
  read,
  run,
  type Step,
  searchId,
  seek,
  write,
} from "./channel.test.fixture.js";
import { Dasd3390 } from "./dasd-3390.js";

const known = [
  ...[
    0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0b, 0x0d, 0x0e, 0x0f, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
    0x19,
  ],
  ...[
    0x1a, 0x1b, 0x1d, 0x1e, 0x1f, 0x22, 0x23, 0x27, 0x29, 0x31, 0x34, 0x39, 0x3e, 0x47, 0x4b, 0x51, 0x54,
    0x5b,
  ],
  ...[
    0x5e, 0x63, 0x64, 0x85, 0x86, 0x8d, 0x8e, 0x92, 0x94, 0x96, 0x9a, 0x9d, 0x9e, 0xa4, 0xa9, 0xaf, 0xb1,
    0xb4,
  ],
  ...[0xb9, 0xde, 0xe4, 0xfa],
];

const cylinder = fc.integer({ min: 0, max: 4 });
const head = fc.integer({ min: 0, max: 15 });
const record = fc.integer({ min: 0, max: 12 });

/** Commands as they come, and ones that make sense, so that programs get further than their first command. */
const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...known), fc.uint8Array({ maxLength: 40 }))
    .map(([code, bytes]) => write(code, bytes)),
  fc
    .tuple(fc.constantFrom(...known), fc.integer({ min: 1, max: 60_000 }))
    .map(([code, size]) => read(code, size)),
  fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 8 })).map(([code, bytes]) => write(code, bytes)),
  fc.tuple(cylinder, head).map(([c, h]) => seek(c, h)),
  fc.tuple(cylinder, head, record).map(([c, h, r]) => searchId(c, h, r)),
  fc.constantFrom(0xc0, 0x80, 0x40, 0x00, 0xc4).map((mask) => defineExtent({ mask })),
  fc
    .tuple(
      fc.constantFrom(0x01, 0x03, 0x06, 0x0c, 0x16, 0x43, 0x81, 0xc3),
      fc.integer({ min: 1, max: 4 }),
      cylinder,
      head,
      record,
    )
    .map(([operation, commands, c, h, r]) =>
      locate({ operation, count: commands, seek: cchh(c, h), record: r }),
    ),
  fc
    .tuple(
      fc.constantFrom(0x1d, 0x15, 0x9d, 0x11),
      cylinder,
      head,
      record,
      fc.nat(20),
      fc.nat(0xffff),
      fc.nat(255),
    )
    .map(([code, c, h, r, key, data, fill]) =>
      write(code, count(c, h, r, key, data), new Uint8Array(Math.min(key + data, 5000)).fill(fill)),
    ),
);

test("any channel program ends with a status and, at unit check, sense; the disk stays one that can be read", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 }),
      async (programs) => {
        const disk = herculesDisk("loaded-zlib.cckd");
        const failures: unknown[] = [];
        const image = await DiskImage.open("loaded-zlib.cckd", { access: "read-write", disk });
        const device = new Dasd3390(image, { onFailure: (error) => failures.push(error) });
        for (const program of programs) {
          const { status, sense } = await run(device, program);
          if ((status & Dstat.UNIT_CHECK) !== 0) assert.equal(sense?.length, 32);
          else assert.equal(sense, undefined);
          assert.equal(image.changedTracks, 0);
          device.reset();
        }
        assert.deepEqual(failures, []);
        const kept = new Map<number, Track>();
        for (let track = 0; track < 90; track += 1) kept.set(track, await image.read(track));
        await image.close();
        const again = await DiskImage.open("loaded-zlib.cckd", { access: "read-only", disk });
        for (const [track, content] of kept) assert.deepEqual(plain(await again.read(track)), plain(content));
      },
    ),
    { numRuns: 60 },
  );
});

test("a read-only disk is not written by any program", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (program) => {
      const disk = herculesDisk("loaded-zlib.cckd");
      const image = await DiskImage.open("loaded-zlib.cckd", { access: "read-only", disk });
      await run(new Dasd3390(image), program);
      await image.close();
      assert.equal(disk.writes, 0);
    }),
    { numRuns: 60 },
  );
});

const plain = ({ home, records }: Track) => ({
  home,
  records: records.map(({ key, data, ...rest }) => ({
    ...rest,
    key: Buffer.from(key).toString("hex"),
    data: Buffer.from(data).toString("hex"),
  })),
});
