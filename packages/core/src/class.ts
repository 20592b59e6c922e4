/** A class groups devices by what they do, wherever they are attached. */
import type { AttributeSetInit } from "./attribute-set.js";
import type { UeventKeys } from "./uevent.js";

/** Its own attributes, and groups of them, are there while it is registered; they are called with the class. */
export interface DeviceClass<D = unknown> extends AttributeSetInit {
  readonly name: string;
  /** Keys to add to the device's uevents. */
  uevent?(device: D): UeventKeys;
}

/** The class of devices that are no more than a node. */
export const miscClass: DeviceClass = Object.freeze({ name: "misc" });
