export { type ApplicationErrorName, applicationErrors, lossReasons } from "./error-codes.js";
export { defineGlobals, globals } from "./globals.js";
export { createGPU, type GPU } from "./gpu.js";
export {
  AdapterGoneError,
  type AdapterLink,
  type AdapterSource,
  DeviceRefusedError,
  type OpenedDevice,
} from "./link/adapter-source.js";
export type { QueueCarrier } from "./link/queue-connector.js";
export { gpu, queueCarrier, whyNoAdapter } from "./process-gpu.js";
export { type ClientRuntime, processRuntime } from "./runtime.js";
export type { SliceChanges, SliceInfo, SliceMemoryInfo } from "./slice-types.js";
