/**
 * The contract of a bus type. It holds no devices and no drivers (a system's `Subsystem` does), so one bus object can
 * serve any number of systems. `D` and `R` are the bus's own device and driver types.
 */
import type { AttributeGroup } from "./attribute.js";
import type { AttributeSetInit } from "./attribute-set.js";
import type { UeventKeys } from "./uevent.js";

/**
 * What a device's driver override does to matching. "name": only the driver of that name matches, and it does without
 * being asked for its ids (platform, pci, vmbus). "name-and-match": the name must agree and `match` as well (css).
 */
export type OverridePolicy = "name" | "name-and-match";

/** Its own attributes, and groups of them, are there while it is registered; they are called with the bus. */
export interface Bus<D = unknown, R = unknown> extends AttributeSetInit {
  readonly name: string;
  /** Without it the devices of this bus have no driver override. */
  readonly driverOverride?: OverridePolicy;
  /**
   * Whether binding and unbinding lock the device's parent as well, first, for drivers that touch the parent in probe
   * and remove (as USB interfaces do). See the README for what must not be called then.
   */
  readonly needParentLock?: boolean;
  /**
   * "by hand": nobody looks for drivers of this bus's devices, not even `System.probeDevice` and `drivers_probe`; only
   * `System.attach` and `System.bind` bind them (mdev). Default: "by search" as well.
   */
  readonly binding?: "by search" | "by hand";
  /** What every device of the bus has from `addDevice` until its removal. */
  readonly deviceGroups?: readonly AttributeGroup<D>[];
  /** What every driver of the bus has while it is registered; called with the driver. */
  readonly driverGroups?: readonly AttributeGroup<R>[];
  /**
   * Whether the driver can handle the device. Called with and without the device's lock, and always once more under it
   * right before the probe; must not wait. Throwing a KernelError EPROBE_DEFER puts the device on the deferred list;
   * any other error ends the search for this device.
   */
  match(device: D, driver: R): boolean;
  /**
   * Called instead of the driver's own probe when given: it is then the bus that calls the driver. What it returns is
   * the binding's driver data.
   */
  probe?(device: D, driver: R): unknown;
  /** Called instead of the driver's own remove. @param data what probe returned */
  remove?(device: D, driver: R, data: unknown): void | Promise<void>;
  /** Called instead of the driver's own `syncState`. */
  syncState?(device: D): void | Promise<void>;
  /** Keys to add to the device's uevents, for example MODALIAS. */
  uevent?(device: D): UeventKeys;
}
