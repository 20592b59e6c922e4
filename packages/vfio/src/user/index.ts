/** The vfio-user server: any VFIO device, on a Unix socket. */
export { listenAt } from "./server/listen.js";
export { defaultPatience, type Patience, type VfioUserOptions } from "./server/options.js";
export { VfioUserServer } from "./server/server.js";
export { loadKoffi } from "./socket/koffi.js";
export type { KoffiModule } from "./socket/libc.js";
