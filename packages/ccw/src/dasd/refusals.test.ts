import assert from "node:assert/strict";
import { test } from "node:test";
import { Dstat } from "parhelion-buses";
import { attached } from "./attached.test.fixture.js";
import {
  back,
  cchh,
  count,
  defineExtent,
  locate,
  read,
  run,
  searchId,
  seek,
  write,
} from "./channel.test.fixture.js";

const fine = Dstat.CHN_END | Dstat.DEV_END;
const check = fine | Dstat.UNIT_CHECK;
const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);

const reject = (message: number) => ({ sense0: 0x80, sense1: 0, message });

for (const [name, steps, expected] of [
  ["an unknown command", [read(0x66, 8)], reject(1)],
  ["a read without a seek", [read(0x06, 80)], reject(2)],
  [
    "a locate record without define extent",
    [locate({ operation: 6, count: 1, seek: cchh(0, 0) })],
    reject(2),
  ],
  ["a seek with too few bytes", [write(0x07, 0, 0, 0)], reject(3)],
  ["a seek to a cylinder that is not there", [seek(4, 0)], reject(4)],
  ["a seek to a head that is not there", [seek(0, 15)], reject(4)],
  [
    "an extent that ends before it begins",
    [defineExtent({ first: cchh(2, 0), last: cchh(1, 0) })],
    reject(4),
  ],
  ["an extent behind the disk", [defineExtent({ last: cchh(4, 0) })], reject(4)],
  ["a reserved bit in the file mask", [defineExtent({ mask: 0x20 })], reject(4)],
  ["a file mask that is set twice", [write(0x1f, 0), write(0x1f, 0)], reject(2)],
  [
    "a count of no commands",
    [defineExtent(), locate({ operation: 6, count: 0, seek: cchh(0, 0) })],
    reject(4),
  ],
  [
    "an unknown operation",
    [defineExtent(), locate({ operation: 0x2a, count: 1, seek: cchh(0, 0) })],
    reject(4),
  ],
  [
    "a write in a domain for reads",
    [defineExtent(), locate({ operation: 6, count: 1, seek: cchh(0, 0) }), write(0x05, 1)],
    reject(2),
  ],
  [
    "a control command in a domain",
    [defineExtent(), locate({ operation: 6, count: 1, seek: cchh(0, 0) }), write(0x03)],
    reject(2),
  ],
  ["a write that no search came before", [seek(0, 0), write(0x05, 1)], reject(2)],
  ["a set path group id that is too short", [write(0xaf, 0, 1)], reject(3)],
  [
    "a seek out of the extent",
    [defineExtent({ first: cchh(1, 0), last: cchh(1, 14) }), seek(2, 0)],
    { sense0: 0, sense1: 0x04, message: 0 },
  ],
  [
    "a locate out of the extent",
    [
      defineExtent({ first: cchh(1, 0), last: cchh(1, 14) }),
      locate({ operation: 6, count: 1, seek: cchh(0, 0) }),
    ],
    { sense0: 0, sense1: 0x04, message: 0 },
  ],
  ["a seek that the mask forbids", [write(0x1f, 0x18), seek(0, 0)], { sense0: 0, sense1: 0x04, message: 0 }],
  [
    "a write that the mask forbids",
    [write(0x1f, 0x40), seek(2, 2), searchId(2, 2, 1), back(1), write(0x05, 1)],
    { sense0: 0, sense1: 0x04, message: 0 },
  ],
  [
    "a format that the mask forbids",
    [write(0x1f, 0x80), seek(2, 2), searchId(2, 2, 1), back(1), write(0x1d, count(2, 2, 2, 0, 1), 1)],
    { sense0: 0, sense1: 0x04, message: 0 },
  ],
  [
    "a multi-track search past the cylinder",
    [seek(0, 14), write(0xb1, cchh(9, 9), 9), back(1), read(0x06, 1)],
    { sense0: 0, sense1: 0x20, message: 0 },
  ],
  [
    "a record zero longer than a track",
    [
      defineExtent(),
      locate({ operation: 0x43, count: 1, seek: cchh(3, 0) }),
      write(0x15, count(3, 0, 0, 0, 60_000)),
    ],
    { sense0: 0, sense1: 0x40, message: 0 },
  ],
  [
    "a count of ones",
    [defineExtent(), locate({ operation: 0x03, count: 1, seek: cchh(3, 0) }), write(0x1d, bytes(8, 0xff))],
    reject(4),
  ],
  [
    "a domain that is left incomplete",
    [defineExtent(), locate({ operation: 6, count: 3, seek: cchh(0, 0) }), read(0x06, 80)],
    { sense0: 0x81, sense1: 0, message: 0 },
  ],
] as const)
  test(`${name} ends with unit check, and its sense says why`, async () => {
    const { device, files } = await attached();
    const { status, sense } = await run(device, steps);
    assert.equal(status, check);
    assert.deepEqual({ sense0: sense?.[0], sense1: sense?.[1], message: (sense?.[7] ?? 0) & 0x0f }, expected);
    // What basic sense tells afterwards is the same; then it is gone.
    const again = await run(device, [read(0x04, 32)]);
    assert.deepEqual(again.data[0], sense);
    const empty = await run(device, [read(0x04, 32)]);
    assert.deepEqual([...(empty.data[0] as Uint8Array).subarray(0, 3)], [0, 0, 0]);
    assert.equal(files.writes, 0);
  });

test("a read-only disk inhibits writes and stays as it is", async () => {
  const { device, files } = await attached("loaded.ckd", "read-only");
  for (const steps of [
    [defineExtent(), locate({ operation: 0x01, count: 1, seek: cchh(2, 2), record: 1 })],
    [seek(2, 2), searchId(2, 2, 1), back(1), write(0x05, 1)],
    [seek(2, 2), searchId(2, 2, 1), back(1), write(0x1d, count(2, 2, 2, 0, 1), 1)],
  ]) {
    const { status, sense } = await run(device, steps);
    assert.deepEqual([status, sense?.[0], sense?.[1]], [check, 0x10, 0x02]);
  }
  assert.equal(files.writes, 0);
});

test("a full disk is told at the end of the program that wrote, and its write is done when there is room", async () => {
  const failures: unknown[] = [];
  const { device, image, files } = await attached("loaded.ckd", "read-write", {
    onFailure: (error) => failures.push(error),
  });
  files.limit = 100;
  const steps = [seek(2, 2), searchId(2, 2, 1), back(1), write(0x05, bytes(1330, 1))];
  const { status, sense } = await run(device, steps);
  assert.deepEqual([status, sense?.[0], sense?.[1]], [check, 0x10, 0x82]);
  assert.equal(failures.length, 1);
  files.limit = Number.POSITIVE_INFINITY;
  assert.equal((await run(device, steps)).status, fine);
  assert.equal(image.changedTracks, 0);
});

test("a disk that was closed wants intervention, a damaged track is a data check", async () => {
  const { device, image, files } = await attached("loaded.ckd", "read-only");
  const content = files.get("loaded.ckd") as Buffer;
  content.fill(0, 512 + 5 * 56832, 512 + 5 * 56832 + 40);
  const damaged = await run(device, [seek(0, 5)]);
  assert.deepEqual([damaged.status, damaged.sense?.[0], damaged.sense?.[1]], [check, 0x08, 0x80]);
  await image.close();
  const closed = await run(device, [seek(0, 6)]);
  assert.deepEqual([closed.status, closed.sense?.[0]], [check, 0x40]);
});
