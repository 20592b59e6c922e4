export { AdminClient, AdminError } from "./admin/admin-client.js";
export { HostError, type HostErrorCode } from "./host-error.js";
export { createPinoSink, type PinoSinkOptions } from "./log.js";
export { defaultStateDirectory } from "./state/state-directory.js";
