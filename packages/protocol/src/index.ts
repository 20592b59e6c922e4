export {
  isPortClosedError,
  isPortStalledError,
  type PortCloseCode,
  PortClosedError,
  type PortStallCode,
  PortStalledError,
} from "./carrier/errors.js";
export { createInProcessPair, type InProcessOptions } from "./carrier/in-process.js";
export type * from "./carrier/port.js";
export type { QueueGeometry } from "./carrier/ring-layout.js";
export { type CarrierRuntime, createPlatformRuntime } from "./carrier/runtime.js";
export { type Clock, type ClockTimer, platformClock } from "./clock.js";
export type * from "./engine/control.js";
export {
  MAX_CONTROL_LIST,
  MAX_CONTROL_TEXT,
  parseAdapterDescription,
  parseDeviceGrant,
  parseDeviceRequest,
  parseEngineRefusal,
  parseFromEngine,
  parseToEngine,
} from "./engine/parse.js";
export { isProtocolError, ProtocolError } from "./error.js";
