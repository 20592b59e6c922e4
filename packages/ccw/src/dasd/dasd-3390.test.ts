import assert from "node:assert/strict";
import { test } from "node:test";
import { Dstat } from "parhelion-buses";
import { DiskImage } from "../image/disk-image.js";
import { fromEbcdic } from "../image/ebcdic.js";
import { encodeTrack } from "../image/track.js";
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

test("sense id, device characteristics and configuration data say that it is a 3390 on a 3990", async () => {
  const { device } = await attached("loaded-zlib.cckd");
  const { status, data } = await run(device, [
    read(0xe4, 20),
    read(0x64, 64),
    read(0xfa, 256),
    read(0x54, 44),
  ]);
  assert.equal(status, fine);
  const [id, characteristics, configuration, subsystem] = data as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  assert.equal(Buffer.from(id).toString("hex"), "ff3990e93390020040fa010041270004423e0060");
  const view = new DataView(characteristics.buffer, characteristics.byteOffset);
  assert.equal(view.getUint16(0), 0x3990);
  assert.equal(view.getUint16(3), 0x3390);
  assert.equal(view.getUint16(12), 1113);
  assert.equal(view.getUint16(14), 15);
  assert.equal(view.getUint16(18), 58786);
  assert.deepEqual([...characteristics.subarray(22, 28)], [2, 34, 19, 9, 6, 116]);
  assert.equal(configuration[0], 0xc4);
  assert.equal(configuration[224], 0x80);
  assert.match(fromEbcdic(configuration.subarray(4, 30)), /^ {2}3390002PHL01000000000001/);
  assert.equal(subsystem[0], 1);
});

test("seek, search id and read data read the volume label", async () => {
  const { device } = await attached();
  const { status, data } = await run(device, [seek(0, 0), searchId(0, 0, 3), back(1), read(0x06, 80)]);
  assert.equal(status, fine);
  assert.equal(fromEbcdic(data[0] as Uint8Array).slice(0, 10), "VOL1PHL001");
});

test("read initial program load reads record 1 of track 0", async () => {
  const { device, image } = await attached();
  const { data } = await run(device, [read(0x02, 24)]);
  assert.deepEqual(data[0], (await image.read(0)).records[1]?.data.slice(0, 24));
});

test("a search for a record that is not there ends after the second index, with no record found", async () => {
  const { device } = await attached();
  const { status, sense } = await run(device, [seek(0, 0), searchId(0, 0, 99), back(1), read(0x06, 80)]);
  assert.equal(status, check);
  assert.equal(sense?.[1], 0x08);
});

test("locate record reads several records, and the next tracks with multi-track commands", async () => {
  const { device, image } = await attached();
  const expected = [];
  for (const track of [32, 33])
    for (const record of (await image.read(track)).records) if (record.record > 0) expected.push(record.data);
  const { status, data } = await run(device, [
    defineExtent({ mask: 0x40 }),
    locate({ operation: 0x16, count: 50, seek: cchh(2, 2), record: 1 }),
    ...Array.from({ length: 50 }, () => read(0x86, 4096)),
  ]);
  assert.equal(status, fine);
  assert.deepEqual(
    data.map((each) => Buffer.from(each).toString("hex")),
    expected.slice(0, 50).map((each) => Buffer.from(each).toString("hex")),
  );
});

test("read count finds the counts of a track, as Linux looks for its format", async () => {
  const { device } = await attached("linux.cckd");
  const { data } = await run(device, [
    defineExtent({ mask: 0x40, last: cchh(1112, 14) }),
    locate({ operation: 0x06, count: 12, seek: cchh(5, 3), record: 0 }),
    ...Array.from({ length: 12 }, () => read(0x12, 8)),
  ]);
  assert.deepEqual(
    data.map((each) => Buffer.from(each).toString("hex")),
    Array.from({ length: 12 }, (_, at) => Buffer.from(count(5, 3, at + 1, 0, 4096)).toString("hex")),
  );
});

test("a whole track, the next one, and a set of tracks are read by read track", async () => {
  const { device, image } = await attached();
  const whole = async (track: number) => encodeTrack(await image.read(track)).subarray(5);
  const two = await run(device, [
    defineExtent({ mask: 0x40 }),
    locate({ operation: 0x0c, count: 2, seek: cchh(0, 14), record: 0 }),
    read(0xde, 60_000),
    read(0xde, 60_000),
  ]);
  assert.deepEqual(
    two.data.map((each) => Buffer.from(each)),
    [Buffer.from(await whole(14)), Buffer.from(await whole(15))],
  );
  const set = await run(device, [
    defineExtent({ mask: 0x40 }),
    write(0x4b, 0x3f, 0, 0, 2, cchh(2, 0), cchh(2, 0), 0, 0xff, 0, 0, 0, 0x0e, 0, 1, 0b1010_0000),
    read(0xde, 60_000),
    read(0xde, 60_000),
  ]);
  assert.equal(set.status, fine);
  assert.deepEqual(
    set.data.map((each) => Buffer.from(each)),
    [Buffer.from(await whole(30)), Buffer.from(await whole(32))],
  );
});

test("write data replaces a record's data, short data is made up with zeros, and it is durable at the end", async () => {
  const { device, image, files } = await attached();
  const { status } = await run(device, [
    defineExtent({ mask: 0x80, block: 4096 }),
    locate({ operation: 0x01, count: 2, seek: cchh(2, 2), record: 1, auxiliary: 0x80, length: 1330 }),
    write(0x85, bytes(1330, 0xc1)),
    write(0x85, bytes(100, 0xc2)),
  ]);
  assert.equal(status, fine);
  assert.equal(image.changedTracks, 0);
  const reread = await DiskImage.open("loaded.ckd", {
    access: "read-only",
    disk: files.afterCrash(() => false),
  });
  const [, one, two, three] = (await reread.read(32)).records;
  assert.deepEqual(Buffer.from(one?.data ?? []), Buffer.alloc(1330, 0xc1));
  assert.deepEqual(Buffer.from(two?.data ?? []), Buffer.concat([bytes(100, 0xc2), bytes(1230, 0)]));
  assert.match(fromEbcdic(three?.data ?? bytes(1, 0)), /^RECORD 000020/);
});

test("a track is formatted with write record zero and write count, key and data; then read again", async () => {
  const { device } = await attached("loaded-zlib.cckd");
  const key = bytes(8, 0xd2);
  const formatted = await run(device, [
    defineExtent({ last: cchh(100, 14) }),
    locate({ operation: 0x43, count: 4, seek: cchh(50, 1) }),
    write(0x15, count(50, 1, 0, 0, 8), bytes(8, 0)),
    write(0x1d, count(50, 1, 1, 0, 4096), bytes(4096, 1)),
    write(0x1d, count(50, 1, 2, 8, 1000), key, bytes(1000, 2)),
    write(0x1d, count(50, 1, 3, 0, 0)),
  ]);
  assert.equal(formatted.status, fine);
  const { status, data, last } = await run(device, [
    seek(50, 1),
    searchId(50, 1, 2),
    back(1),
    read(0x0e, 2000),
    read(0x12, 8),
    read(0x16, 16),
    read(0x1a, 5),
    read(0x9e, 5000),
    seek(50, 1),
    searchId(50, 1, 2),
    back(1),
    read(0x06, 2000),
    read(0x06, 2000),
  ]);
  assert.deepEqual(Buffer.from(data[0] as Uint8Array), Buffer.concat([key, bytes(1000, 2)]));
  assert.deepEqual(Buffer.from(data[1] as Uint8Array), Buffer.from(count(50, 1, 3, 0, 0)));
  assert.deepEqual(Buffer.from(data[2] as Uint8Array), Buffer.concat([count(50, 1, 0, 0, 8), bytes(8, 0)]));
  assert.deepEqual([...(data[3] as Uint8Array)], [0, 0, 50, 0, 1]);
  assert.equal((data[4] as Uint8Array).length, 8 + 4096);
  // The end-of-file mark has no data: unit exception.
  assert.equal(status, fine | Dstat.UNIT_EXCEP);
  assert.equal(last, 12);
});

test("write count, key and data erases what followed, and a record that does not fit is an invalid track format", async () => {
  const { device, image } = await attached();
  const twelve = Array.from({ length: 12 }, (_, at) =>
    write(0x1d, count(3, 0, at + 1, 0, 4096), bytes(10, at)),
  );
  const full = await run(device, [
    defineExtent(),
    locate({ operation: 0x03, count: 12, seek: cchh(3, 0) }),
    ...twelve,
  ]);
  assert.equal(full.status, fine);
  assert.equal((await image.read(45)).records.length, 13);
  const thirteen = await run(device, [
    defineExtent(),
    locate({ operation: 0x03, count: 1, seek: cchh(3, 0), record: 12 }),
    write(0x1d, count(3, 0, 13, 0, 4096), bytes(4096, 1)),
  ]);
  assert.equal(thirteen.status, check);
  assert.equal(thirteen.sense?.[1], 0x40);
  const shorter = await run(device, [
    seek(3, 0),
    searchId(3, 0, 4),
    back(1),
    write(0x1d, count(3, 0, 5, 0, 80), bytes(80, 7)),
  ]);
  // Without define extent or set file mask everything but home addresses may be formatted.
  assert.equal(shorter.status, fine);
  assert.equal((await image.read(45)).records.length, 6);
  await run(device, [seek(3, 0), searchId(3, 0, 2), back(1), write(0x11, count(3, 0, 3, 0, 0))]);
  assert.equal((await image.read(45)).records.length, 3);
});

test("several tracks are formatted by write count, key and data on the next track", async () => {
  const { device, image } = await attached();
  const { status } = await run(device, [
    defineExtent(),
    locate({ operation: 0x03, count: 3, seek: cchh(3, 1) }),
    write(0x1d, count(3, 1, 1, 0, 512), bytes(512, 1)),
    write(0x9d, count(3, 2, 1, 0, 512), bytes(512, 2)),
    write(0x9d, count(3, 3, 1, 0, 512), bytes(512, 3)),
  ]);
  assert.equal(status, fine);
  for (const head of [1, 2, 3]) {
    const { records } = await image.read(45 + head);
    assert.deepEqual(Buffer.from(records[1]?.data ?? []), Buffer.alloc(512, head));
  }
});

test("a home address is written with authority only, and leaves an empty track", async () => {
  const { device, image } = await attached();
  const home = (mask: number) => [
    defineExtent({ mask }),
    seek(3, 5),
    write(0x39, cchh(3, 5)),
    back(1),
    write(0x19, 0, cchh(3, 5)),
    write(0x15, count(3, 5, 0, 0, 8), bytes(8, 0)),
  ];
  const refused = await run(device, home(0xc0));
  assert.deepEqual([refused.status, refused.sense?.[0], refused.sense?.[7]], [check, 0x80, 0x05]);
  assert.equal((await run(device, home(0xc4))).status, fine);
  assert.equal((await image.read(50)).records.length, 1);
});

test("search key finds a record by its key", async () => {
  const { device } = await attached();
  const { status, data } = await run(device, [
    seek(2, 13),
    write(0xa9, Buffer.alloc(44, 0x04)),
    back(1),
    read(0x06, 96),
  ]);
  assert.equal(status, fine);
  assert.equal(data[0]?.[0], 0xf4);
});

const group = bytes(11, 0x5a);

test("paths join a group, and a reserve of the group keeps other paths out until it is released or stolen", async () => {
  const { device } = await attached();
  const state = async (chpid: number) => (await run(device, [read(0x34, 12)], chpid)).data[0] as Uint8Array;
  assert.equal((await state(1))[0], 0);
  for (const chpid of [1, 2])
    assert.equal((await run(device, [write(0xaf, 0x80, group)], chpid)).status, fine);
  assert.deepEqual([...(await state(1))], [0xc8, ...group]);
  assert.equal((await run(device, [read(0xb4, 32)], 1)).status, fine);
  assert.equal((await run(device, [seek(0, 0)], 2)).status, fine);
  assert.equal((await run(device, [seek(0, 0)], 3)).status, Dstat.BUSY);
  assert.equal((await state(3))[0], 0x20);
  assert.equal((await state(2))[0], 0xf8);
  assert.equal((await run(device, [read(0x14, 32)], 3)).status, fine);
  assert.equal((await run(device, [seek(0, 0)], 1)).status, Dstat.BUSY);
  assert.equal((await run(device, [read(0x94, 32)], 3)).status, fine);
  assert.equal((await run(device, [seek(0, 0)], 1)).status, fine);
  const other = await run(device, [write(0xaf, 0x80, bytes(11, 1))], 1);
  assert.equal(other.status, check);
  assert.equal((await run(device, [write(0xaf, 0x20, group)], 1)).status, fine);
  assert.equal((await state(2))[0], 0x80);
  device.reset();
  assert.equal((await state(2))[0], 0);
});

test("feature codes can be read, and nothing else between preparing and reading them", async () => {
  const { device } = await attached();
  const prepare = write(0x27, 0x18, 0, 0, 0, 0, 0, 0x41, 0, 0, 0, 0, 0);
  const { status, data } = await run(device, [prepare, read(0x3e, 256)]);
  assert.equal(status, fine);
  assert.equal(data[0]?.length, 256);
  assert.equal((await run(device, [prepare, read(0x64, 64)])).sense?.[7], 0x02);
});

test("only 3390s can be attached", async () => {
  await assert.rejects(attached("small-3380.ckd"), RangeError);
});
