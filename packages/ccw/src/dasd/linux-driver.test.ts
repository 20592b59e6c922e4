import assert from "node:assert/strict";
import { test } from "node:test";
import { DiskImage } from "../image/disk-image.js";
import { toEbcdic } from "../image/ebcdic.js";
import { herculesDisk } from "../image/hercules.test.fixture.js";
import { blockSize, blocksPerTrack, LinuxDriver } from "./linux-driver.test.fixture.js";

async function machine() {
  const image = await DiskImage.open("loaded.ckd", {
    access: "read-write",
    disk: herculesDisk("loaded.ckd"),
  });
  return { image, driver: new LinuxDriver(image) };
}

const word = (cmd: number, bytes: Uint8Array | number, flags = 0) => ({ cmd, flags, bytes });

test("Linux' driver brings the disk online with what it asks, and lives with what is refused", async () => {
  const { driver } = await machine();
  const [id, configuration, characteristics] = await driver.online();
  assert.equal(id.toString("hex", 0, 7), "ff3990e9339002");
  assert.equal(characteristics.readUInt16BE(12), 4);
  // The descriptor of a disk, and the qualifier that says which one of its subsystem.
  assert.deepEqual([configuration[0], configuration[224]], [0xc4, 0x80]);
  assert.equal((driver.features[8] as number) & 0x01, 0x01, "prefix");
  // Read and write track data, transport mode: not told, so not asked for.
  for (const [at, bit] of [
    [9, 0x20],
    [12, 0x40],
    [40, 0xff],
  ] as const)
    assert.equal((driver.features[at] as number) & bit, 0, `feature ${at}`);
  // Set system characteristics, for parallel access volumes and the rest of a newer server.
  const characteristicsOrder = new Uint8Array(66);
  characteristicsOrder.set([0x1d, 0, 0, 0, 0, 0, 0xc0]);
  await driver.refused(word(0x27, characteristicsOrder, 0x20));
  // Volume storage query and extent pool, of thin provisioning; query host access; messages; and reading without having asked.
  for (const kind of [0x52, 0x53, 0x1c, 0x03]) await driver.refused(...driver.subsystemData(kind, 256));
  await driver.refused(word(0x3e, 256));
  // Write full track, read and write track data, read special control information, diagnostic sense.
  for (const cmd of [0x95, 0xa6, 0xa5, 0xea, 0xf7, 0xf9])
    await driver.refused(word(cmd, new Uint8Array(16), 0x20));
});

for (const prefix of ["with prefix", "without prefix"] as const)
  test(`a disk that Linux formats, ${prefix}, has its layout, its labels and its blocks`, async () => {
    const { image, driver } = await machine();
    await driver.online();
    if (prefix === "without prefix") driver.features = new Uint8Array(256);
    // As dasdfmt goes about it: the first track is made invalid, all others are formatted, then the first.
    await driver.invalidate(0);
    assert.deepEqual(
      (await image.read(0)).records.map(({ data }) => data.length),
      [8, 0],
    );
    const { tracks } = image.geometry;
    // More tracks at once than that are more CCWs than the driver sends.
    const most = Math.floor(255 / blocksPerTrack);
    for (let first = 1; first < tracks; first += most)
      await driver.format(first, Math.min(first + most - 1, tracks - 1));
    await driver.format(0, 0);
    const sizes = (await driver.analysis()).map((count) => [count[4], count[5], count.readUInt16BE(6)]);
    assert.deepEqual(sizes, [
      [1, 4, 24],
      [2, 4, 144],
      [3, 4, 80],
      [4, 0, 4096],
      [1, 44, 96],
    ]);
    const counts = await driver.counts(2, 11);
    assert.deepEqual(
      counts.map((count) => [count[1], count[3], count[4], count[5], count.readUInt16BE(6)]),
      counts.map((_, at) => [
        0,
        2 + Math.floor(at / blocksPerTrack),
        1 + (at % blocksPerTrack),
        0,
        blockSize,
      ]),
    );
    const label = Buffer.alloc(84);
    label.set(toEbcdic("VOL1VOL1LNX001"));
    const block = (number: number) => Buffer.alloc(blockSize, number);
    await driver.writeBlocks(2, [label]);
    await driver.writeBlocks(
      20,
      Array.from({ length: 10 }, (_, at) => block(20 + at)),
    );
    await driver.writeBlocks(118, [block(118), block(119), block(120)]);
    const [found] = await driver.readBlocks(2, 1);
    assert.deepEqual(found, label);
    for (const [first, count] of [
      [0, 10],
      [20, 10],
      [24, 6],
      [117, 5],
    ] as const) {
      const blocks = await driver.readBlocks(first, count);
      for (const [at, bytes] of blocks.entries()) {
        const number = first + at;
        const { records } = await image.read(Math.floor(number / blocksPerTrack));
        const record = records[1 + (number % blocksPerTrack)];
        assert.deepEqual(
          bytes,
          Buffer.concat([record?.key ?? [], record?.data ?? []].map((part) => Uint8Array.from(part))),
        );
        if (number >= 20 && number < 30) assert.equal(bytes[bytes.length - 1], number);
      }
    }
    await driver.format(33, 33, "new");
    assert.deepEqual(
      (await image.read(33)).records.map(({ record, data }) => [record, data.length]),
      [[0, 8], ...Array.from({ length: blocksPerTrack }, (_, at) => [at + 1, blockSize])],
    );
  });
