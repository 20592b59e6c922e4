/** The serial card as its users and administrators have it: through mdev and VFIO. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MdevBus, type MdevDevice } from "parhelion-buses";
import { createRuntime, type Driver, isKernelError, System } from "parhelion-core";
import { Feature, FeatureFlag } from "../../device/calls.js";
import { PciIrq } from "../../irq/irq.js";
import { migrationStates } from "../../migration/ops.js";
import { PciRegion } from "../../region/region.js";
import { Vfio } from "../../vfio.js";
import { PciUser } from "../pci-user.test.fixture.js";
import { vfioDeviceOf } from "../vfio-device-of.js";
import { LoopBackPlug } from "./loop-back-plug.js";
import { createSerialDriver, SerialParent } from "./serial-parent.js";

const uuids = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [string, string, string];
const types = "/sys/devices/serial/mdev_supported_types";

interface Rig {
  readonly system: System;
  readonly mdev: MdevBus;
  readonly parent: SerialParent;
  /** What was plugged in and taken out, in order. */
  readonly plugs: string[];
  open(uuid: string): Promise<PciUser>;
}

async function withParent(ports: number, run: (rig: Rig) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  const runtime = createRuntime({
    patienceMs: 5000,
    log: (record) => record.level === "error" && errors.push(record),
  });
  const system = new System(runtime);
  const mdev = new MdevBus(system);
  const vfio = await Vfio.create(system, { revokeMs: 0 });
  const plugs: string[] = [];
  const driver = createSerialDriver(vfio, mdev, (port, number) => {
    port.plug(new LoopBackPlug(port));
    plugs.push(`plug ${number}`);
    return () => void plugs.push(`unplug ${number}`);
  });
  await system.registerDriver(driver as Driver);
  const parent = await SerialParent.register(mdev, "serial", ports);
  await run({
    system,
    mdev,
    parent,
    plugs,
    async open(uuid) {
      const device = vfioDeviceOf(mdev.find(uuid) as MdevDevice);
      assert.ok(device);
      return PciUser.open(system, device.name);
    },
  });
  await parent.unregister();
  await system.unregisterDriver(driver as Driver);
  await vfio.close();
  mdev.unregister();
  assert.deepEqual(errors, []);
}

test("what is left of each type follows from the ports, and is decided when a card is made", () =>
  withParent(3, async ({ system, parent }) => {
    const left = async () =>
      Promise.all(["1", "2"].map((type) => system.sysfs.read(`${types}/serial-${type}/available_instances`)));
    assert.deepEqual(await left(), ["3\n", "1\n"]);
    await system.sysfs.write(`${types}/serial-2/create`, uuids[0]);
    assert.deepEqual(await left(), ["1\n", "0\n"]);
    assert.equal(await system.sysfs.read(`${types}/serial-2/device_api`), "vfio-pci\n");
    // Both have seen that one is left.
    const both = await Promise.allSettled([parent.create(1, uuids[1]), parent.create(1, uuids[2])]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const refused = both.find(({ status }) => status === "rejected") as PromiseRejectedResult;
    assert.ok(isKernelError(refused.reason, "ENOSPC"), String(refused.reason));
    await system.sysfs.write(`/sys/bus/mdev/devices/${uuids[0]}/remove`, "1");
    assert.deepEqual(await left(), ["2\n", "1\n"]);
  }));

test("a driver finds its registers, sends through loop-back and is interrupted", () =>
  withParent(2, async ({ parent, open }) => {
    await parent.create(2, uuids[0]);
    const user = await open(uuids[0]);
    const info = await user.device.call("GET_INFO", { argsz: 24 });
    assert.deepEqual([info.numRegions, info.numIrqs, info.flags & 3], [9, 5, 3]);
    assert.equal(await user.config(0, 4), 0x3253_4348);
    assert.deepEqual(await user.barSizes(), [8, 8, 0, 0, 0, 0]);
    const intx = await user.device.call("GET_IRQ_INFO", { argsz: 16, index: PciIrq.INTX });
    assert.deepEqual([intx.count, intx.flags], [1, 7]);
    const interrupt = await user.listen(PciIrq.INTX);
    await user.write(PciRegion.BAR1, 3, 0x03);
    await user.write(PciRegion.BAR1, 1, 0x05);
    await user.write(PciRegion.BAR1, 0, 0x55);
    assert.equal(interrupt.count, 1);
    assert.equal(await user.read(PciRegion.BAR1, 2), 0x04);
    // A line that is still high interrupts again when it is unmasked.
    await user.unmask(PciIrq.INTX);
    assert.equal(interrupt.count, 2);
    assert.equal(await user.read(PciRegion.BAR1, 0), 0x55);
    await user.unmask(PciIrq.INTX);
    assert.equal(interrupt.count, 2);
    assert.equal(await user.config(0x06, 2), 0x0200);
    await user.close();
  }));

test("the next user and a reset begin with a card as after power-on", () =>
  withParent(2, async ({ parent, open }) => {
    await parent.create(2, uuids[0]);
    const first = await open(uuids[0]);
    await first.write(PciRegion.BAR0, 7, 0x42);
    await first.write(PciRegion.CONFIG, 0x3c, 9);
    await first.close();
    const second = await open(uuids[0]);
    assert.deepEqual([await second.read(PciRegion.BAR0, 7), await second.config(0x3c)], [0, 0]);
    await second.write(PciRegion.BAR0, 7, 0x42);
    await second.device.call("RESET", {});
    assert.equal(await second.read(PciRegion.BAR0, 7), 0);
    await second.close();
  }));

test("its state is taken along to another card", () =>
  withParent(4, async ({ parent, open }) => {
    await parent.create(2, uuids[0]);
    await parent.create(2, uuids[1]);
    const [from, to] = [await open(uuids[0]), await open(uuids[1])];
    await from.write(PciRegion.CONFIG, 0x3c, 11);
    await from.write(PciRegion.BAR0, 3, 0x03);
    await from.write(PciRegion.BAR0, 2, 0x81);
    await from.write(PciRegion.BAR0, 1, 0x01);
    for (const byte of Buffer.from("hello")) await from.write(PciRegion.BAR0, 0, byte);
    const state = await save(from);
    const interrupt = await to.listen(PciIrq.INTX);
    await restore(to, state);
    assert.equal(await to.config(0x3c), 11);
    assert.equal(interrupt.count, 0);
    const taken: number[] = [];
    while (((await to.read(PciRegion.BAR0, 5)) & 1) !== 0) taken.push(await to.read(PciRegion.BAR0, 0));
    assert.equal(Buffer.from(taken).toString(), "hello");
    // A one-port card's state is none of a two-port card.
    await assert.rejects(restore(to, state.subarray(0, 100)), (error) => isKernelError(error, "EINVAL"));
    await from.close();
    await to.close();
  }));

test("a card that was stopped runs after its reset, and its user is asked to let go even while it is stopped", () =>
  withParent(1, async ({ parent, mdev, open }) => {
    await parent.create(1, uuids[0]);
    const user = await open(uuids[0]);
    await moveTo(user, "STOP_COPY");
    await user.device.call("RESET", {});
    await user.write(PciRegion.BAR0, 3, 0x03);
    await user.write(PciRegion.BAR0, 0, 0x55);
    assert.equal((await user.read(PciRegion.BAR0, 5)) & 1, 1);
    assert.equal(await user.read(PciRegion.BAR0, 0), 0x55);
    const letGo = await user.listen(PciIrq.REQ);
    await moveTo(user, "STOP");
    await mdev.remove(uuids[0]);
    assert.equal(letGo.count, 1);
    await user.close();
  }));

test("removing the card takes it from its user, and its ports are plugged out", () =>
  withParent(2, async ({ parent, mdev, open, plugs }) => {
    await parent.create(2, uuids[0]);
    const user = await open(uuids[0]);
    await mdev.remove(uuids[0]);
    await assert.rejects(user.read(PciRegion.BAR0, 7), (error) => isKernelError(error, "ENODEV"));
    await user.close();
    for (let left = 1000; plugs.length < 4 && left > 0; left--) await new Promise(setImmediate);
    assert.deepEqual(plugs, ["plug 0", "plug 1", "unplug 0", "unplug 1"]);
    assert.equal(parent.left, 2);
  }));

async function moveTo(user: PciUser, state: (typeof migrationStates)[number]) {
  const data = Buffer.alloc(8);
  data.writeUInt32LE(migrationStates.indexOf(state));
  const flags = Feature.MIG_DEVICE_STATE | FeatureFlag.SET;
  return (await user.device.call("FEATURE", { argsz: 16, flags, data })).stream;
}

async function save(user: PciUser): Promise<Buffer> {
  const stream = await moveTo(user, "STOP_COPY");
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = await stream?.read?.(64);
    if (part === undefined || part.length === 0) return Buffer.concat(parts);
    parts.push(part);
  }
}

async function restore(user: PciUser, state: Uint8Array): Promise<void> {
  const stream = await moveTo(user, "RESUMING");
  for (let at = 0; at < state.length; at += 50) await stream?.write?.(state.subarray(at, at + 50));
  await moveTo(user, "RUNNING");
}
