/** Mediated devices: typed shares of a device, made and removed by uuid. */
export { MdevBus } from "./bus.js";
export { MdevDevice, type MdevDriver, type MdevLife } from "./device.js";
export { type MdevCreateOptions, MdevParent, type MdevParentState } from "./parent.js";
export type { MdevAvailability, MdevParentInit } from "./parent-init.js";
export type { MdevRequest, MdevType } from "./type.js";
