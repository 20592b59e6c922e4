export { bufferSource, bufferSourceRange } from "./buffer-source.js";
export { enforceU32, enforceU64, toText, wrapU32 } from "./convert.js";
export { CommandDeferred } from "./deferred.js";
export * as encode from "./encode.js";
export { EventReader } from "./event-reader.js";
export { EventWriter } from "./event-writer.js";
export * from "./generated/dictionary-convert.js";
export * from "./generated/enums.js";
export * from "./generated/events.js";
export { EventOpcode, InterfaceKind, interfaceName, Opcode } from "./generated/numbers.js";
export type * from "./generated/special-commands.js";
export type * from "./generated/target.js";
export type * from "./generated/types.js";
export {
  DEVICE_HANDLE,
  FIRST_FREE_HANDLE,
  HANDLE,
  type Handled,
  KIND,
  OWNER,
  QUEUE_HANDLE,
} from "./handle.js";
export * from "./limits.js";
export { ObjectLimitError, ObjectTable, Reservation, UnavailableObjectError } from "./object-table.js";
export { Replayer, type ReplayerOptions } from "./replayer.js";
export { type Color, type Extent3D, type Origin3D, toColor, toExtent3D, toOrigin3D } from "./shapes.js";
export { CommandStream, type CommandStreamOptions } from "./stream.js";
