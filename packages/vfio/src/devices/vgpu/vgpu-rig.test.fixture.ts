/** A vGPU's function that is in use by a driver, with somebody behind it who does as the tests say. */
import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { vgpuConfigModel } from "parhelion-buses";
import { type Bus, createRuntime, Device, type Runtime, System } from "parhelion-core";
import { DeviceFlag } from "../../device/calls.js";
import { VfioDevice } from "../../device/device.js";
import { Vfio } from "../../vfio.js";
import type { VgpuBackend, VgpuCommand, VgpuNotice, VgpuReply } from "./vgpu-backend.js";
import { vgpuDeviceOps } from "./vgpu-device.js";
import { VgpuDriver } from "./vgpu-driver.test.fixture.js";

const channelInstance = "01234567-89ab-cdef-0123-456789abcdef";

/** Answers with what it was asked, unless told otherwise. */
export class Backend implements VgpuBackend {
  readonly config = vgpuConfigModel({ channelInstance, luid: 5n, negotiate: (guest) => guest & 0b10 });
  readonly served: VgpuCommand[] = [];
  answer: (command: VgpuCommand) => VgpuReply | Promise<VgpuReply> = ({ body }) => ({ status: 0, body });
  notify: (notice: VgpuNotice) => void = () => undefined;
  /** The engine's ends of queues. */
  readonly queues: Duplex[] = [];
  /** The function's. */
  readonly ends: Duplex[] = [];
  sessions = 0;

  open(notify: (notice: VgpuNotice) => void) {
    this.sessions += 1;
    this.notify = notify;
    return {
      serve: async (command: VgpuCommand) => {
        this.served.push(command);
        return this.answer(command);
      },
      openQueue: () => {
        const [near, far] = duplexPair();
        this.queues.push(far);
        this.ends.push(near);
        return near;
      },
      close: () => {
        this.sessions -= 1;
      },
    };
  }
}

export interface Rig {
  readonly runtime: Runtime;
  readonly system: System;
  readonly vfio: Vfio;
  readonly vdev: VfioDevice;
  readonly backend: Backend;
  readonly driver: VgpuDriver;
}

/** @param warnings what is logged, and nothing else */
export async function withVgpu(
  run: (rig: Rig) => Promise<void>,
  warnings: readonly string[] = [],
): Promise<void> {
  const log: string[] = [];
  const runtime = createRuntime({
    patienceMs: 5000,
    log: ({ level, event }) => (level === "error" || level === "warn") && log.push(event),
  });
  const system = new System(runtime);
  const bus: Bus = { name: "plain", match: () => false };
  system.registerBus(bus);
  const vfio = await Vfio.create(system, { revokeMs: 0 });
  const parent = new Device(runtime, { name: "slice", bus });
  await system.addDevice(parent);
  const backend = new Backend();
  const vdev = new VfioDevice(vfio, {
    parent,
    flags: DeviceFlag.PCI,
    ops: (made) => vgpuDeviceOps(made, runtime, "vgpu", backend),
  });
  await vfio.register(vdev, { iommu: "emulated" });
  const driver = await VgpuDriver.open(system, vdev.name);
  await driver.begin();
  await run({ runtime, system, vfio, vdev, backend, driver });
  await driver.user.close();
  assert.equal(backend.sessions, 0);
  if (vdev.life === "registered") {
    await vfio.unregister(vdev);
    vdev.put();
  }
  await system.unregisterDevice(parent);
  await vfio.close();
  assert.deepEqual(log, warnings);
}
