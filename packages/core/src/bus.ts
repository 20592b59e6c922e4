/**
 * The contract of a bus type. It holds no devices and no drivers (a system's `Subsystem` does), so one bus object can
 * serve any number of systems. `D` and `R` are the bus's own device and driver types.
 */
import type { AttributeSetInit } from "./attribute-set.js";
import type { UeventKeys } from "./uevent.js";

/** Its own attributes, and groups of them, are there while it is registered; they are called with the bus. */
export interface Bus<D = unknown, R = unknown> extends AttributeSetInit {
  readonly name: string;
  /**
   * Whether the driver can handle the device. Called with and without the device's lock, so what it reads may change
   * before the probe; must not wait. Throwing a KernelError EPROBE_DEFER puts the device on the deferred list; any
   * other error ends the search for this device.
   */
  match(device: D, driver: R): boolean;
  /**
   * Called instead of the driver's own probe when given: it is then the bus that calls the driver. What it returns is
   * the binding's driver data.
   */
  probe?(device: D, driver: R): unknown;
  /** Called instead of the driver's own remove. @param data what probe returned */
  remove?(device: D, driver: R, data: unknown): void | Promise<void>;
  /** Keys to add to the device's uevents, for example MODALIAS. */
  uevent?(device: D): UeventKeys;
}
