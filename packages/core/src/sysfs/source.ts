/** What the tree is computed from. */
import type { Bus } from "../bus.js";
import type { ClassRegistration } from "../class-registration.js";
import type { Device } from "../device.js";
import type { DeviceDirectories } from "../device-directories.js";
import type { DeviceLink } from "../device-link.js";
import type { Driver } from "../driver.js";
import type { NodeRegistry } from "../node-registry.js";
import type { WaitOptions } from "../runtime.js";
import type { Subsystem } from "../subsystem.js";
import type { Uevents } from "../uevent.js";

export interface SysfsSource {
  readonly devices: DeviceDirectories;
  readonly nodes: NodeRegistry;
  readonly uevents: Uevents;
  buses(): Iterable<Subsystem>;
  classes(): Iterable<ClassRegistration>;
  links(): Iterable<DeviceLink>;
  readonly control: SysfsControl;
}

/** What writing to the tree's files does: see the methods of `System`. */
export interface SysfsControl {
  bind(driver: Driver, deviceName: string, options?: WaitOptions): Promise<void>;
  unbind(driver: Driver, deviceName: string, options?: WaitOptions): Promise<void>;
  driversProbe(bus: Bus, deviceName: string, options?: WaitOptions): Promise<void>;
  setDriversAutoprobe(bus: Bus, text: string): void;
  stateSynced(device: Device): boolean;
  writeStateSynced(device: Device, text: string, options?: WaitOptions): Promise<void>;
  linksOf(device: Device): {
    readonly suppliers: readonly DeviceLink[];
    readonly consumers: readonly DeviceLink[];
  };
}

export const sysfsRoot = "/sys";
