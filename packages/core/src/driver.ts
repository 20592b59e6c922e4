/**
 * The contract of a driver. The object carries no per-device state: what a driver needs on a device is returned by
 * probe and lives with that binding, so the hundredth device needs no new thought. Buses extend the contract with
 * their id tables.
 */
import type { AttributeGroup } from "./attribute.js";
import type { AttributeSetInit } from "./attribute-set.js";
import type { Bus } from "./bus.js";

/**
 * "asynchronous": whoever adds a device or registers the driver does not wait for the probe, which runs in a task of
 * its own. "force-synchronous" can't be overruled by `SystemOptions.asyncDrivers`, "synchronous" (the default) can.
 */
export type ProbeType = "synchronous" | "asynchronous" | "force-synchronous";

/**
 * Its own attributes, and groups of them, are there from when it has met the devices there are until it is
 * unregistered; they are called with the driver.
 */
export interface Driver<D = unknown, S = unknown> extends AttributeSetInit {
  /** Unique on its bus. */
  readonly name: string;
  readonly bus: Bus;
  readonly probeType?: ProbeType;
  /** Refuses `System.bind` and `System.unbind`, for drivers that would not survive being taken away by hand. */
  readonly suppressBindAttrs?: boolean;
  /**
   * What a device has while this driver is bound to it: added when probe has succeeded; removed, and what runs on them
   * waited for, before remove. When one can't be added, remove is called, the probe counts as failed and no other
   * driver is tried.
   */
  readonly deviceGroups?: readonly AttributeGroup<D>[];
  /**
   * Takes the device into use. Runs under the device's lock: it must not attach, detach or remove this device.
   *
   * Throws to refuse. ENODEV and ENXIO say "not mine" and are quiet. EPROBE_DEFER says "not yet": throw it before
   * creating children or touching the device. Resources put on `device.devres` are released by the core, in reverse.
   * @returns the state of this binding; the core stores it as `device.driverData` and hands it to `remove`
   */
  probe(device: D): S | Promise<S>;
  /**
   * Gives the device back. Runs under the device's lock, before the binding's devres is released. Can't fail: an error
   * is logged as `remove.failed` and the device is unbound all the same.
   */
  remove?(device: D, state: S): void | Promise<void>;
  /**
   * Called once per binding, under the device's lock, when every consumer that is linked to the device is bound: what
   * was left on for consumers that might come can now follow the ones that did.
   */
  syncState?(device: D): void | Promise<void>;
}
