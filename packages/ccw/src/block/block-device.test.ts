import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiskImage } from "../image/disk-image.js";
import { rig } from "../vfio-ccw/rig.test.fixture.js";
import { CcwBlockDevice } from "./block-device.js";
import { blockBytes, blocksPerTrack } from "./eckd.js";

/** A block as it stands on the image, read without any of this. */
async function blockOf(image: DiskImage, block: number): Promise<Uint8Array> {
  const { records } = await image.read(Math.floor(block / blocksPerTrack));
  const record = records.find((each) => each.record === (block % blocksPerTrack) + 1);
  assert.ok(record, `block ${block} is on the image`);
  return record.data;
}

function pattern(blocks: number, seed: number): Uint8Array {
  return Uint8Array.from(
    { length: blocks * blockBytes },
    (_, index) => (index * 31 + (index >> 9) + seed) & 0xff,
  );
}

test("what is written through the subchannel is what stands on the image, and the reverse", async () => {
  const machine = await rig();
  const { id, image } = await machine.disk();
  const device = await CcwBlockDevice.open(machine.system, await machine.passThrough(id), {
    transferBlocks: 20,
  });
  assert.deepEqual([device.disk, device.blocks], [{ cylinders: 2, heads: 15 }, 360]);
  const bytes = pattern(50, 1);
  await device.write(7, bytes);
  for (const block of [7, 11, 12, 30, 56]) {
    const at = (block - 7) * blockBytes;
    assert.deepEqual(
      Buffer.from(await blockOf(image, block)),
      Buffer.from(bytes.subarray(at, at + blockBytes)),
      `block ${block}`,
    );
  }
  assert.deepEqual(Buffer.from(await device.read(7, 50)), Buffer.from(bytes));
  assert.ok((await device.read(0, 7)).every((byte) => byte === 0));
  assert.ok((await device.read(57, 303)).every((byte) => byte === 0));
  await device.close();
  await machine.end();
  assert.equal(machine.storage.used, 0);
});
