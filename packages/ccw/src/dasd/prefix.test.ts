import assert from "node:assert/strict";
import { test } from "node:test";
import { Dstat } from "parhelion-buses";
import { encodeTrack } from "../image/track.js";
import { attached } from "./attached.test.fixture.js";
import { back, cchh, defineExtent, read, run, type Step, seek, write } from "./channel.test.fixture.js";

const fine = Dstat.CHN_END | Dstat.DEV_END;
const unit = 5;
const identity = { unitAddress: unit, subsystem: 0x0107 };

interface PrefixWish {
  readonly format?: number;
  readonly validity?: number;
  readonly unit?: number;
  readonly subsystem?: number;
  readonly extent?: Uint8Array;
  readonly locate?: Uint8Array;
  readonly length?: number;
}

function prefix(wish: PrefixWish = {}): Step {
  const locate = wish.locate ?? new Uint8Array(20);
  const bytes = new Uint8Array(44 + locate.length);
  const { format = 0, validity = 0x80 } = wish;
  bytes.set([format, validity, wish.unit ?? unit, 0, wish.subsystem ?? 0x07]);
  bytes.set(
    wish.extent ?? Buffer.concat([Uint8Array.of(0x40, 0xc0, 0, 0, 0, 0, 0, 0), cchh(0, 0), cchh(3, 14)]),
    12,
  );
  bytes.set(locate, 44);
  return write(0xe7, bytes.subarray(0, wish.length ?? bytes.length));
}

const half = [0, 0];
const locateRead = (count: number, cylinder: number, head: number, record: number, operation = 0x16) =>
  Buffer.concat([
    Uint8Array.of(operation, 0, 0, count),
    cchh(cylinder, head),
    cchh(cylinder, head),
    Uint8Array.of(record, 0xff, ...half, 0, 0, ...half),
  ]);

test("prefix defines the extent, and what is outside of it is protected", async () => {
  const { device } = await attached("loaded.ckd", "read-write", { identity });
  const extent = Buffer.concat([Uint8Array.of(0x40, 0xc0, 0, 0, 0, 0, 0, 0), cchh(1, 0), cchh(1, 14)]);
  const inside = await run(device, [prefix({ extent }), seek(1, 3), read(0x1a, 5)]);
  assert.deepEqual([inside.status, [...(inside.data[0] as Uint8Array)]], [fine, [0, 0, 1, 0, 3]]);
  const outside = await run(device, [prefix({ extent }), seek(2, 0)]);
  assert.deepEqual([outside.last, outside.sense?.[1]], [1, 0x04]);
  const zero = write(0x15, cchh(1, 3), 0, 0, 0, 8, new Uint8Array(8));
  const written = await run(device, [prefix({ extent }), seek(1, 3), write(0x39, cchh(1, 3)), back(1), zero]);
  assert.deepEqual([written.last, written.sense?.[1]], [4, 0x04], "the mask inhibits writes");
});

test("prefix with a locate record begins its domain", async () => {
  const { device, image } = await attached("loaded.ckd", "read-write", { identity });
  const { records } = await image.read(32);
  const one = await run(device, [
    prefix({ format: 1, validity: 0xa0, locate: locateRead(2, 2, 2, 1) }),
    read(0x06, 4096),
    read(0x06, 4096),
  ]);
  assert.equal(one.status, fine);
  assert.deepEqual(
    one.data,
    [records[1]?.data, records[2]?.data].map((data) => Uint8Array.from(data ?? [])),
  );
  const short = await run(device, [prefix({ format: 1, locate: locateRead(2, 2, 2, 1) }), read(0x06, 4096)]);
  assert.equal(short.sense?.[0], 0x81, "the domain is incomplete");
  // A set of tracks, by parameters behind the locate record.
  const head = locateRead(2, 2, 0, 0, 0x3f);
  head.set([0x0e, 0, 1], 17);
  const set = await run(device, [
    prefix({ format: 1, locate: Buffer.concat([head, Uint8Array.of(0b1010_0000)]) }),
    read(0xde, 60_000),
    read(0xde, 60_000),
  ]);
  const whole = async (track: number) => Buffer.from(encodeTrack(await image.read(track)).subarray(5));
  assert.deepEqual(
    set.data.map((each) => Buffer.from(each)),
    [await whole(30), await whole(32)],
  );
});

for (const [what, steps, message] of [
  ["without all of its extent", [prefix({ length: 43 })], 3],
  ["without all of its locate record", [prefix({ format: 1, length: 63 })], 3],
  [
    "without the parameters that its locate record announces",
    [prefix({ format: 1, locate: Uint8Array.from(locateRead(1, 0, 0, 0, 0x3f)).fill(1, 19) })],
    3,
  ],
  ["of another format", [prefix({ format: 2 })], 4],
  ["that defines no extent", [prefix({ validity: 0 })], 4],
  ["with a reserved bit", [prefix({ validity: 0x81 })], 4],
  ["for another unit, if that is to be verified", [prefix({ validity: 0xa0, unit: unit + 1 })], 4],
  ["for another subsystem, if that is to be verified", [prefix({ validity: 0xa0, subsystem: 8 })], 4],
  ["for an alias", [prefix({ validity: 0xb0 })], 4],
  ["with an extent that is none", [prefix({ extent: new Uint8Array(16) })], 4],
  ["with an extent behind a seek", [seek(0, 0), prefix()], 2],
  ["behind define extent", [defineExtent(), prefix()], 2],
  ["twice", [prefix(), prefix()], 2],
  ["in a domain", [prefix({ format: 1, locate: locateRead(2, 2, 2, 1) }), prefix()], 2],
] as const)
  test(`prefix ${what} is rejected`, async () => {
    const { device } = await attached("loaded.ckd", "read-write", { identity });
    const { sense, last } = await run(device, steps);
    assert.deepEqual([sense?.[0], (sense?.[7] ?? 0) & 0x0f, last], [0x80, message, steps.length - 1]);
  });
