export {
  type PortCloseCode,
  type PortStallCode,
  portCloseCodes,
  portStallCodes,
  type QueueConnectCode,
  queueConnectCodes,
} from "./carrier/error-codes.js";
export {
  isPortClosedError,
  isPortStalledError,
  isQueueConnectError,
  PortClosedError,
  PortStalledError,
  QueueConnectError,
} from "./carrier/errors.js";
export { acceptQueue } from "./carrier/handshake/accept.js";
export { connectQueue } from "./carrier/handshake/connect.js";
export type {
  AcceptQueueOptions,
  ConnectQueueOptions,
  QueueGrant,
  QueueOptions,
  QueueOwner,
  QueueRefusal,
} from "./carrier/handshake/queue-options.js";
export { createInProcessPair, type InProcessOptions } from "./carrier/in-process.js";
export type { KoffiModule } from "./carrier/mapped-memory/libc.js";
export type { PollPolicy } from "./carrier/mapped-memory/port.js";
export { openSharedMemory, type SharedMemoryProvider } from "./carrier/mapped-memory/provider.js";
export type * from "./carrier/port.js";
export type { QueueGeometry } from "./carrier/ring-layout.js";
export { type CarrierRuntime, createPlatformRuntime } from "./carrier/runtime.js";
export { type Clock, type ClockTimer, platformClock } from "./clock.js";
export { addressed, type EngineAddress, isAddressedTo } from "./engine/address.js";
export { clampLimits } from "./engine/clamp-limits.js";
export type * from "./engine/control.js";
export {
  MAX_CONTROL_LIST,
  MAX_CONTROL_TEXT,
  parseAdapterDescription,
  parseDeviceGrant,
  parseDeviceRequest,
  parseEngineQuota,
  parseEngineRefusal,
  parseFromEngine,
  parseToEngine,
} from "./engine/parse.js";
export { defaultEngineQuota, type EngineQuota, type EngineService, noSlice } from "./engine/quota.js";
export {
  parseSliceDescription,
  type SliceDescription,
  type SliceMemory,
} from "./engine/slice-description.js";
export { isProtocolError, ProtocolError } from "./error.js";
export { type CodeEntry, type ProtocolErrorCode, protocolErrorCodes } from "./error-codes.js";
export * from "./messages/index.js";
export { Newcomers } from "./newcomers.js";
export { SysClient, type SysClientOptions, type SysMonitor } from "./sys/client.js";
export { SYS_BACKLOG, SYS_REQUESTS } from "./sys/connection.js";
export { SYS_CONNECTIONS, SYS_SOCKET, SysServer, type SysServerInit } from "./sys/server.js";
export type { SysItem, SysKind, SysSource, SysTree } from "./sys/tree.js";
export * from "./webgpu/index.js";
