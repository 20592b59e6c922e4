/** vfio-user: any VFIO device on a Unix socket, and whoever uses it from there. */
export { type DeviceWrite, VfioUserDevice } from "./client/device.js";
export type { VfioUserConnectOptions } from "./client/options.js";
export { listenAt } from "./server/listen.js";
export { defaultPatience, type Patience, type VfioUserOptions } from "./server/options.js";
export { VfioUserServer } from "./server/server.js";
export { loadKoffi } from "./socket/koffi.js";
export type { KoffiModule } from "./socket/libc.js";
