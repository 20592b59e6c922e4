export * from "./codec.js";
export type {
  ControlConnectionOptions,
  ControlConnectionState,
  EventHandler,
  RequestHandler,
  RequestOptions,
} from "./control-connection.js";
export { ControlConnection } from "./control-connection.js";
export { ControlError, controlError, isControlError } from "./control-error.js";
export { errnoName, type StatusCode, StatusErrno } from "./errno.js";
export { VmbusFeature, vmbusFeatures } from "./features.js";
export * from "./frame.js";
export * from "./generated/dxg.js";
export * from "./generated/host-command.js";
export * from "./generated/node.js";
export * from "./generated/pci-command.js";
export * from "./generated/queue.js";
export * from "./generated/structs.js";
export * from "./generated/sys.js";
export * from "./generated/vmbus.js";
export { HandleTable, type HandleTableOptions } from "./handle.js";
export { limitReached, type ReachedLimit } from "./limit-reached.js";
export { errnoOfNtStatus, NtStatus, ntStatusOfErrno } from "./ntstatus.js";
