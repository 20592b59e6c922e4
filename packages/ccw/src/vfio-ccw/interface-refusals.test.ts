/** Answers that need something special before they are given: paths that went, too much at once, a close or reset meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ccw1, CcwFlag, ccw1, Fctl } from "parhelion-buses";
import { Completion } from "parhelion-core";
import {
  answerOf,
  chpid,
  control,
  done,
  ioBytes,
  type Open,
  open,
  program,
  start,
  statusOf,
  stop,
} from "./interface.test.fixture.js";

test("EACCES: the paths that a start names are gone, and others are left", async () => {
  const device = await open();
  const { machine } = device.machine;
  program(device, control);
  machine.path(chpid).configure("offline");
  assert.equal(await start(device, { lpm: 0x80 }), "EACCES");
  assert.equal(device.machine.storage.used, 0);
  assert.equal(await start(device, { lpm: 0x40 }), "done", "by the other path");
  await device.slow.begun.wait();
  device.slow.end();
  await device.io.wait();
  await statusOf(device);
  machine.path(0x31).configure("offline");
  assert.equal(await start(device, { lpm: 0x40 }), "ENODEV", "none is left");
  machine.path(0x31).configure("online");
  await device.machine.css.settle();
  assert.equal(await start(device, { lpm: 0x40 }), "done");
  await done(device);
});

/** Memory that is there as far as one looks: no program could have all of it pinned. */
async function endless({ user }: Open, bytes: bigint): Promise<void> {
  const read = (_at: unknown, length: number) => new Uint8Array(length);
  await user.map(0x1000_0000n, bytes, { read, write: () => undefined });
}

/** So many CCWs, in chains of 100 with a transfer behind each. */
function long(device: Open, count: number, ccw: Partial<Ccw1>, step: number): void {
  const perSegment = 100;
  for (let index = 0; index < count; index += 1) {
    const at = index * 8 + Math.floor(index / perSegment) * 8;
    const flags = index === count - 1 ? 0 : CcwFlag.CC;
    device.memory.set(ccw1.encode({ ...ccw, flags, cda: (ccw.cda ?? 0) + index * step }), at);
    const next = at + 8;
    if (index % perSegment === perSegment - 1)
      device.memory.set(ccw1.encode({ cmd: 0x08, cda: next + 8 }), next);
  }
}

test("ENOMEM: a program that would have more pinned than one may; EINVAL: one that is longer than one may be", async () => {
  const device = await open();
  await endless(device, 0x0c00_0000n);
  const big = { cmd: 0x01, count: 0xf000, cda: 0x1000_0000 };
  long(device, 1200, big, 0xf000);
  assert.equal(await start(device), "ENOMEM", "1200 times 60 KiB");
  assert.equal(device.machine.storage.used, 0);
  long(device, 2049, control, 0);
  assert.equal(await start(device), "EINVAL", "2049 CCWs");
  assert.equal(device.machine.storage.used, 0);
  long(device, 200, big, 0xf000);
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  await device.user.call("RESET", {});
  await done(device);
});

test("EIO: a start that a reset came before, and whatever is asked while one is under way", async () => {
  const device = await open();
  const { user, machine } = device;
  const gate = new Completion<Uint8Array>(machine.runtime, "the user's memory");
  await user.map(0x10_0000n, 4096n, { read: () => gate.wait(), write: () => undefined }, "read");
  const overtaken = answerOf(user.call("WRITE", { offset: 0n, bytes: ioBytes({ cpa: 0x10_0000 }) }));
  await new Promise((resolve) => setImmediate(resolve));
  await user.call("RESET", {});
  gate.completeAll(new Uint8Array(2048));
  assert.equal(await overtaken, "EIO");
  assert.equal(machine.storage.used, 0);
  program(device, control);
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  // It lets go of the device only when it is told to.
  const halted = new Completion(machine.runtime, "halt");
  device.slow.halt = () => halted.complete();
  const reset = user.call("RESET", {});
  await halted.wait();
  assert.equal(await start(device), "EIO", "start");
  assert.equal(await start(device, {}, Fctl.HALT), "EIO", "nothing that is known");
  for (const command of [1, 2, 3]) assert.equal(await stop(device, command), "EIO", `command ${command}`);
  device.slow.end(0);
  await reset;
  assert.equal(await start(device), "done", "it is idle again");
  device.slow.halt = () => device.slow.end(0);
  await done(device);
});
