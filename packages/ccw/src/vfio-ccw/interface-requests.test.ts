/** What is written to the region of requests, and what comes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Actl, CcwFlag, Dstat, Fctl, type Orb } from "parhelion-buses";
import { Completion, type ErrnoCode } from "parhelion-core";
import {
  answerOf,
  control,
  done,
  ioBytes,
  open,
  program,
  start,
  statusOf,
  stop,
} from "./interface.test.fixture.js";

test("a channel program is started, ends, and is told with the guest's address", async () => {
  const device = await open();
  program(
    device,
    { ...control, flags: CcwFlag.CC | CcwFlag.SLI },
    { cmd: 0x03, count: 1, flags: CcwFlag.SLI, cda: 0x2000 },
  );
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  assert.equal(await start(device), "EBUSY", "one runs");
  device.slow.end();
  await device.slow.begun.wait();
  device.slow.end();
  await device.io.wait();
  const scsw = await statusOf(device);
  assert.deepEqual(
    [scsw.cpa, scsw.dstat, scsw.cstat, scsw.fctl],
    [16, Dstat.CHN_END | Dstat.DEV_END, 0, Fctl.START],
  );
  assert.equal(await start(device), "done", "the next one");
  await done(device);
});

test("what can't be started is refused with its reason, and nothing is left of it", async () => {
  const device = await open();
  program(device, control);
  const cases: readonly (readonly [string, Partial<Orb>, number | undefined, ErrnoCode | "done"])[] = [
    ["transport mode", { b: 1 }, undefined, "EOPNOTSUPP"],
    ["halt", {}, Fctl.HALT, "EOPNOTSUPP"],
    ["clear", {}, Fctl.CLEAR, "EOPNOTSUPP"],
    ["nothing", {}, 0, "done"],
    ["a program where none can be", { cpa: 4 }, undefined, "EINVAL"],
    ["a program where there is no memory", { cpa: 0x10_0000 }, undefined, "EFAULT"],
  ];
  for (const [what, orb, fctl, answer] of cases) {
    // The answer to what is nothing at all is the one that stands there.
    if (what === "nothing")
      await device.user.call("WRITE", { offset: 120n, bytes: new Uint8Array(4) }).catch(() => {});
    const bytes = ioBytes(orb, fctl);
    const whole = new Uint8Array(124);
    whole.set(bytes);
    assert.equal(await answerOf(device.user.call("WRITE", { offset: 0n, bytes: whole })), answer, what);
    assert.equal(device.machine.storage.used, 0, what);
  }
  program(device, { ...control, cda: 0x7000_0000 });
  assert.equal(await start(device), "EFAULT", "data where there is no memory");
  assert.equal(await stop(device, 3), "EINVAL", "no such command");
  assert.equal(
    await start(device, { cpa: 0x100, fmt: 1 }),
    "done",
    "an empty CCW is for the channel to object to",
  );
  await device.io.wait();
  assert.equal((await statusOf(device)).cstat & 0x20, 0x20);
  await done(device);
});

test("a write that comes while another one is under way is refused, and not kept waiting", async () => {
  const device = await open();
  const { user, machine } = device;
  const gate = new Completion<Uint8Array>(machine.runtime, "the user's memory");
  await user.map(0x10_0000n, 4096n, { read: () => gate.wait(), write: () => {} }, "read");
  const first = start(device, { cpa: 0x10_0000 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await answerOf(user.call("WRITE", { offset: 0n, bytes: ioBytes({}) })), "EAGAIN");
  assert.equal(await answerOf(user.call("WRITE", { offset: 0x400n, bytes: new Uint8Array(8) })), "EAGAIN");
  gate.completeAll(new Uint8Array(2048));
  await first;
  await done(device);
});

test("halt and clear end what runs; a reset does, too, and says nothing", async () => {
  const device = await open();
  program(device, control);
  for (const [command, fctl] of [
    [1, Fctl.HALT],
    [2, Fctl.CLEAR],
  ] as const) {
    assert.equal(await start(device), "done");
    await device.slow.begun.wait();
    assert.equal(await stop(device, command), "done");
    await device.io.wait();
    const scsw = await statusOf(device);
    assert.equal(scsw.fctl & fctl, fctl);
    assert.equal(scsw.actl & (Actl.SCHACT | Actl.DEVACT), 0);
  }
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  await device.user.call("RESET", {});
  assert.equal(device.io.count, 0);
  assert.equal(device.machine.storage.used, 0);
  assert.equal(await start(device), "done");
  await done(device);
});
