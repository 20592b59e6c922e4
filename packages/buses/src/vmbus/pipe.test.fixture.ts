/**
 * A guest and a host of VMBus over an in-process pipe: everything that happens is a task of the given runtime, so that whoever
 * brings a scheduler decides the order. `pipeRig(runtime)` makes the two systems' parts and starts nothing. `connect()` makes
 * contact: run it in a task, it waits. Then `host().offer(…)` and `rescind` are the host's moves, drivers registered with
 * `system` the guest's; `pipe.cut()` is a broken connection. `close()` ends the connection and
 * waits until every device of it has gone; afterwards no task is left.
 */

import { type Bus, Completion, noDeadline, type Runtime, System } from "parhelion-core";
import { vmbusFeatures } from "parhelion-protocol";
import {
  ConfigModel,
  createPciBus,
  createPciPassthroughDriver,
  createVmbus,
  createVmbusPipe,
  type PciDevice,
  type PciDriver,
  pciHeader,
  VmbusConnection,
  type VmbusDevice,
  type VmbusDriver,
  VmbusHost,
  type VmbusPipe,
} from "../index.js";

export interface PipeRig {
  readonly runtime: Runtime;
  /** The guest's. */
  readonly system: System;
  readonly vmbus: Bus<VmbusDevice, VmbusDriver>;
  readonly pci: Bus<PciDevice, PciDriver>;
  readonly pipe: VmbusPipe;
  /** @param offer makes the host's first offers, before the guest asks for them. @throws what connect and accept throw */
  connect(offer?: (host: VmbusHost) => void): Promise<VmbusConnection>;
  /** Precondition: connected. */
  host(): VmbusHost;
  /** Good-bye from the guest; without effect when there was no contact. */
  close(): Promise<void>;
  /** Registers the driver that turns pass-through channels into PCI functions. */
  passPci(): Promise<void>;
}

export function pipeRig(runtime: Runtime): PipeRig {
  const system = new System(runtime);
  const vmbus = createVmbus();
  const pci = createPciBus();
  system.registerBus(vmbus as Bus);
  system.registerBus(pci as Bus);
  const pipe = createVmbusPipe(runtime, "pipe");
  const accepted = new Completion<VmbusHost>(runtime, "acceptance of the guest");
  let host: VmbusHost | null = null;
  let guest: VmbusConnection | null = null;
  return {
    runtime,
    system,
    vmbus,
    pci,
    pipe,
    async connect(offer = () => {}) {
      runtime.scheduler.spawn("host accepts", async () => {
        try {
          host = await VmbusHost.accept(pipe.host, { runtime, authorize: () => vmbusFeatures });
          offer(host);
          accepted.completeAll(host);
        } catch (error) {
          accepted.fail(error);
        }
      });
      guest = await VmbusConnection.connect(system, vmbus, pipe.guest, { name: "guest", credential: "" });
      await accepted.wait({ deadline: noDeadline });
      return guest;
    },
    host() {
      if (host === null) throw new Error("not connected");
      return host;
    },
    async close() {
      await guest?.close();
    },
    passPci: () => system.registerDriver(createPciPassthroughDriver(system, vmbus, pci)),
  };
}

/** A function of this vendor and device, and nothing else in its configuration space. */
export function plainFunction(vendorId: number, deviceId: number): ConfigModel {
  return new ConfigModel(256)
    .readable(pciHeader.vendorId, () => vendorId)
    .readable(pciHeader.deviceId, () => deviceId);
}
