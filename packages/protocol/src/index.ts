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
