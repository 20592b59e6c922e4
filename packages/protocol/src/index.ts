export { type Clock, type ClockTimer, platformClock } from "./clock.js";
export { isProtocolError, ProtocolError } from "./error.js";
