/** Regions and interrupts, as whoever has opened a subchannel finds them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Actl, schib as schibLayout } from "parhelion-buses";
import { answerOf, control, done, offsets, open, program, start } from "./interface.test.fixture.js";

test("regions, interrupts and what they are is told as the interface says", async () => {
  const device = await open();
  const { user } = device;
  const info = await user.call("GET_INFO", { argsz: 32 });
  assert.deepEqual([info.flags & 0x11, info.numRegions, info.numIrqs], [0x11, 4, 3]);
  const expected = [
    [124n, 3, null],
    [8n, 3, 1],
    [52n, 1, 2],
    [8n, 1, 3],
  ] as const;
  for (const [index, [size, access, subtype]] of expected.entries()) {
    const region = await user.call("GET_REGION_INFO", { argsz: 128, index });
    assert.deepEqual([region.size, region.flags & 3, region.offset], [size, access, offsets[index]]);
    const view = new DataView(region.capabilities.buffer, region.capabilities.byteOffset);
    if (subtype === null) assert.equal(region.capOffset, 0);
    else {
      assert.deepEqual(
        [view.getUint16(0, true), view.getUint32(8, true), view.getUint32(12, true)],
        [2, 2, subtype],
      );
    }
  }
  assert.equal(await answerOf(user.call("GET_REGION_INFO", { argsz: 32, index: 4 })), "EINVAL");
  for (const index of [0, 1, 2]) {
    const irq = await user.call("GET_IRQ_INFO", { argsz: 16, index });
    assert.deepEqual([irq.count, irq.flags & 1], [1, 1]);
  }
  assert.equal(await answerOf(user.call("GET_IRQ_INFO", { argsz: 16, index: 3 })), "EINVAL");
  for (const [offset, length] of [
    [124n, 1],
    [120n, 8],
    [0x408n, 1],
    [0x800n, 53],
    [0x1000n, 1],
  ] as const) {
    assert.equal(await answerOf(user.call("READ", { offset, length })), "EINVAL", `${offset}`);
  }
  for (const offset of [0x800n, 0xc00n]) {
    const bytes = new Uint8Array(8);
    assert.equal(await answerOf(user.call("WRITE", { offset, bytes })), "EINVAL", "for reading only");
  }
  await done(device);
});

test("the SCHIB is that of the moment", async () => {
  const device = await open();
  const read = async () =>
    schibLayout.decode(await device.user.call("READ", { offset: 0x800n, length: schibLayout.size }));
  const { pmcw } = await read();
  assert.deepEqual([pmcw.dev, pmcw.ena, pmcw.pim], [0x777, 1, 0xc0]);
  program(device, control);
  await start(device);
  await device.slow.begun.wait();
  assert.notEqual((await read()).scsw.actl & Actl.SCHACT, 0);
  await done(device);
});
