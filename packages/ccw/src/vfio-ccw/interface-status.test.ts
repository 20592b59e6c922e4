/** How statuses come to the user, and go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Dstat, Fctl, Stctl } from "parhelion-buses";
import { done, ioBytes, open, settled, statusOf } from "./interface.test.fixture.js";

test("what the device says by itself comes as it is", async () => {
  const device = await open();
  device.slow.line?.unsolicited(Dstat.ATTENTION);
  await device.io.wait();
  const { dstat, stctl } = await statusOf(device);
  assert.deepEqual([dstat, stctl], [Dstat.ATTENTION, Stctl.PEND | Stctl.ALERT]);
  await done(device);
});

test("a status that was not read yet is not written over by the next request", async () => {
  const device = await open();
  device.slow.line?.unsolicited(Dstat.ATTENTION);
  await device.io.wait();
  const whole = new Uint8Array(124);
  whole.set(ioBytes({}, Fctl.HALT));
  const write = () => device.user.call("WRITE", { offset: 0n, bytes: whole });
  assert.equal(await settled(write), "EOPNOTSUPP");
  assert.equal((await statusOf(device)).dstat, Dstat.ATTENTION);
  assert.equal(await settled(write), "EOPNOTSUPP");
  assert.equal((await statusOf(device)).dstat, 0, "one that was read is gone");
  await done(device);
});

test("a user who writes back what it has read makes no status of it", async () => {
  const device = await open();
  device.slow.line?.unsolicited(Dstat.ATTENTION);
  await device.io.wait();
  const whole = Uint8Array.from(await device.user.call("READ", { offset: 0n, length: 124 }));
  whole.set(ioBytes({}, Fctl.HALT));
  assert.equal(await settled(() => device.user.call("WRITE", { offset: 0n, bytes: whole })), "EOPNOTSUPP");
  assert.equal((await statusOf(device)).stctl, 0);
  await done(device);
});

test("a reset leaves no status of what was before it", async () => {
  const device = await open();
  for (let call = 0; call < 2; call += 1) {
    device.slow.line?.unsolicited(Dstat.ATTENTION);
    if (call === 0) await device.io.wait();
  }
  await device.user.call("RESET", {});
  assert.deepEqual([(await statusOf(device)).dstat, (await statusOf(device)).dstat], [0, 0]);
  device.slow.line?.unsolicited(Dstat.ATTENTION | Dstat.UNIT_EXCEP);
  for (let dstat = 0; dstat === 0; dstat = (await statusOf(device)).dstat) await device.io.wait();
  await done(device);
});
