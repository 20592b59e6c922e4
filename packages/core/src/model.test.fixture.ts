/** A system on a small bus that writes down everything that happens, in order. */
import type { Bus } from "./bus.js";
import { Device, type DeviceInit } from "./device.js";
import type { Driver } from "./driver.js";
import type { LogRecord } from "./log.js";
import { createRuntime, type Runtime } from "./runtime.js";
import { System } from "./system.js";

/** Matches a driver to the devices whose names start with the driver's name. */
export const toyBus: Bus<Device, Driver> = {
  name: "toy",
  match: (device, driver) => device.name.startsWith(driver.name),
};

export interface Traced {
  readonly system: System;
  /** Uevents as "action name", and what the test's own callbacks add. */
  readonly trace: string[];
  readonly log: LogRecord[];
  device(name: string, init?: Partial<DeviceInit>): Device;
  /** A driver that traces its probe and remove. */
  driver(name: string, parts?: Partial<Driver<Device>>): Driver<Device>;
}

export function traced(runtime?: Runtime): Traced {
  const log: LogRecord[] = [];
  const system = new System(
    runtime ?? createRuntime({ log: (record) => log.push(record), patienceMs: 5000 }),
  );
  const trace: string[] = [];
  system.registerBus(toyBus);
  system.onUevent((event) => trace.push(`${event.action} ${event.devpath.split("/").at(-1)}`));
  return {
    system,
    trace,
    log,
    device: (name, init) => new Device(system.runtime, { name, bus: toyBus, ...init }),
    driver: (name, parts) => ({
      name,
      bus: toyBus,
      probe: (device) => {
        trace.push(`probe ${name} ${device.name}`);
      },
      remove: (device) => {
        trace.push(`remove ${name} ${device.name}`);
      },
      ...parts,
    }),
  };
}

/** Lets everything that can run without a timer run. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
