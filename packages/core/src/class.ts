/** A class groups devices by what they do, wherever they are attached. */
import type { UeventKeys } from "./uevent.js";

export interface DeviceClass<D = unknown> {
  readonly name: string;
  /** Keys to add to the device's uevents. */
  uevent?(device: D): UeventKeys;
}

/** The class of devices that are no more than a node. */
export const miscClass: DeviceClass = Object.freeze({ name: "misc" });
