/** A subchannel that is opened, closed, reset and taken away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AttachedDevice } from "parhelion-vfio";
import { answerOf, control, done, ioBytes, open, program, start } from "./interface.test.fixture.js";

test("the subchannel is enabled while it is open, and only then", async () => {
  const device = await open();
  const { machine, user } = device;
  const [id] = machine.machine.provided();
  assert.ok(id);
  const enabled = () => machine.machine.stsch(id).schib?.pmcw.ena;
  assert.equal(enabled(), 1);
  await user.close();
  assert.equal(enabled(), 0);
  const again = await AttachedDevice.open(machine.system, user.file.name.split("#")[0] ?? "");
  assert.equal(enabled(), 1);
  assert.deepEqual(await again.call("READ", { offset: 0n, length: 124 }), new Uint8Array(124));
  await again.close();
  await done(device);
});

test("a device that does not stop is given up, not waited for, and reaches nothing any more", async () => {
  const device = await open({ quiesceMs: 50, clearMs: 100_000 });
  device.slow.halt = () => {};
  program(device, { cmd: 0x02, count: 64, cda: 0x3000 });
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  assert.equal(await answerOf(device.user.call("RESET", {})), "EINVAL");
  assert.equal(device.machine.storage.used, 0);
  assert.ok(device.machine.log.some(({ event }) => event === "vfio-ccw.not-stopped"));
  assert.match(await answerOf(device.user.call("WRITE", { offset: 0n, bytes: ioBytes({}) })), /EIO|ENODEV/);
  device.slow.end();
  await done(device);
});

test("whoever removes the device asks its user first, who keeps it for as long as it may", async () => {
  const device = await open({ revokeMs: 60_000 });
  const { machine, user, request } = device;
  const [subchannel] = machine.css.subchannels();
  assert.ok(subchannel);
  const removal = machine.system.unbind(machine.ccw.cssDriver as never, subchannel.name);
  await request.wait();
  program(device, control);
  assert.equal(await start(device), "done", "it still works");
  await user.close();
  await removal;
  await done(device);
});
