/** The user's memory while a channel program is using it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Completion } from "parhelion-core";
import { bytesMemory } from "parhelion-vfio";
import { control, done, open, program, start } from "./interface.test.fixture.js";

test("memory that is taken back while its program is translated ends that, and is not waited for", async () => {
  const device = await open();
  const { user, machine } = device;
  const never = new Completion<Uint8Array>(machine.runtime, "the user's memory");
  await user.map(0x10_0000n, 4096n, { read: () => never.wait(), write: () => {} }, "read");
  const first = start(device, { cpa: 0x10_0000 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await user.unmap(0x10_0000n, 4096n), 4096n);
  assert.equal(await first, "EFAULT");
  program(device, control);
  assert.equal(await start(device), "done");
  never.completeAll(new Uint8Array(0));
  await done(device);
});

test("memory that a running program has pinned is given back by a reset", async () => {
  const device = await open();
  program(device, control);
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  assert.ok(device.machine.storage.used > 0);
  await device.user.unmap(0n, BigInt(device.memory.length));
  assert.equal(device.machine.storage.used, 0);
  assert.ok(!device.machine.log.some(({ event }) => event === "vfio.pins-left"));
  await device.user.map(0n, BigInt(device.memory.length), bytesMemory(device.memory));
  assert.equal(await start(device), "done", "it is open, and idle");
  await done(device);
});
