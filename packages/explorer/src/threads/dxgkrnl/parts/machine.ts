/** A virtual machine's buses, and the three things whose arrival dxgkrnl waits for. */
import { type Bus, Device, type Driver, isKernelError, System } from "parhelion-core";
import type { World } from "../../../program.js";
import type { ConfigSpace } from "./config-space.js";

export interface Machine {
  readonly system: System;
  readonly pci: Bus;
  readonly vmbus: Bus;
}

/** @param probed devices of the other buses are probed only when attached, which keeps adding them out of a search */
export function createMachine(world: World, probed: "all" | "pci" | "none" = "all"): Machine {
  const system = new System(world.runtime);
  const pci: Bus = { name: "pci", match: () => probed !== "none" };
  const vmbus: Bus = { name: "vmbus", match: () => probed === "all" };
  system.registerBus(pci);
  system.registerBus(vmbus);
  return { system, pci, vmbus };
}

/** A vGPU's PCI function. */
export class VgpuFunction extends Device {
  readonly config: ConfigSpace;

  constructor(machine: Machine, name: string, config: ConfigSpace) {
    super(machine.system.runtime, { name, bus: machine.pci });
    this.config = config;
  }
}

/** A driver for what is on `bus` that does `probe` and nothing else. */
export function driverOf<D extends Device>(
  name: string,
  bus: Bus,
  probe: (device: D) => unknown,
  remove: (device: D) => void | Promise<void> = () => {},
): Driver {
  return {
    name,
    bus,
    probe: (device) => probe(device as D),
    remove: (device) => remove(device as D),
  };
}

/** Takes everything down again, so that what is left over at the end is the program's own. */
export async function takeDown(
  { system }: Machine,
  drivers: readonly Driver[],
  devices: readonly Device[],
): Promise<void> {
  for (const device of devices) {
    if (device.registered) await system.removeDevice(device);
    device.put();
  }
  for (const driver of drivers) await system.unregisterDriver(driver);
}

/** Runs `action`; that the device is not there (any more) is no mistake of the caller. */
export async function unlessGone(action: () => Promise<unknown>): Promise<"done" | "gone"> {
  try {
    await action();
    return "done";
  } catch (error) {
    if (isKernelError(error, "ENODEV")) return "gone";
    throw error;
  }
}
