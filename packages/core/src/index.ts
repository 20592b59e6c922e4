/** The device model, and the primitives that everything in it waits with. */
export {
  type Attribute,
  type AttributeContext,
  type AttributeGroup,
  attributeLimit,
  byteLength,
} from "./attribute.js";
export { type AttributeEntry, AttributeSet, type AttributeSetInit } from "./attribute-set.js";
export type { Bus, OverridePolicy } from "./bus.js";
export type { CharRegion, CharRegionInit } from "./char-region.js";
export { type DeviceClass, miscClass } from "./class.js";
export type { ClassInterface } from "./class-members.js";
export { type Clock, type ClockTimer, systemClock } from "./clock.js";
export type { Deferral } from "./deferred.js";
export { type BindingState, Device, type DeviceInit, type RegistrationState } from "./device.js";
export type { DeviceLink, LinkFlag, LinkState } from "./device-link.js";
export { Devres, type DevresAction, type DevresGroup, type ReleaseAction } from "./devres.js";
export type { Driver, ProbeType } from "./driver.js";
export { Errno, type ErrnoCode } from "./errno.js";
export { BugError, isKernelError, KernelError } from "./error.js";
export { type BugCode, bugCodes, errnoMeanings } from "./error-codes.js";
export { OpenFile } from "./file.js";
export type { FileOperations, Opener } from "./file-operations.js";
export { Ida } from "./ida.js";
export type { LeaveTaking } from "./leaving.js";
export type { LogLevel, LogRecord, LogSink } from "./log.js";
export { type MappedMemory, Mapping, type MapRange, mapAlignment } from "./mapping.js";
export { DeviceNode, miscMajor, type NodeInit, type NodeOwner } from "./node.js";
export { NodeRegistry, type NodeWatcher } from "./node-registry.js";
export type { BusEvent, BusNotifier } from "./notifiers.js";
export { Registration, requestPeriodMs, type UnregisterOptions } from "./registration.js";
export {
  createRuntime,
  deadlineOf,
  type Ids,
  noDeadline,
  type Random,
  type Runtime,
  type RuntimeInit,
  type WaitOptions,
} from "./runtime.js";
export { StateMachine, type Transitions } from "./state-machine.js";
export { call, invoke, type StillWanted } from "./sync/call.js";
export { Completion } from "./sync/completion.js";
export { DirectScheduler } from "./sync/direct-scheduler.js";
export { type Guard, Mutex } from "./sync/mutex.js";
export { type Counted, Refcount } from "./sync/refcount.js";
export { RwLock } from "./sync/rwlock.js";
export type { Access, Blocked, Named, Note, Scheduler, Wakeup } from "./sync/scheduler.js";
export { SpinLock } from "./sync/spinlock.js";
export { Timer } from "./sync/timer.js";
export { WaitQueue } from "./sync/wait-queue.js";
export { type Work, WorkQueue } from "./sync/work-queue.js";
export { Sysfs, type SysfsStat, type SysfsVisit } from "./sysfs/sysfs.js";
export { System } from "./system.js";
export type { SystemOptions } from "./system-parts.js";
export {
  serializeUevent,
  type Uevent,
  type UeventAction,
  type UeventKeys,
  type UeventListener,
  type UeventSource,
  Uevents,
} from "./uevent.js";
export { parseUevent } from "./uevent-parse.js";
export { parseSyntheticUevent, type SyntheticUevent } from "./uevent-synthetic.js";
