// Generated from idl/messages.schema.mjs by idl/messages.mjs; do not edit.
import { type StructCodec, structCodec, zeroGuid, zeroHex16 } from "../codec.js";
import { AllocationInfo, AdapterInfo } from "./structs.js";

/** Opens the node's adapter. */
export interface OpenAdapterFromLuidRequest {
  /** As listed by enumAdapters3. */
  readonly luid: bigint;
}
export const OpenAdapterFromLuidRequest: StructCodec<OpenAdapterFromLuidRequest> = structCodec<OpenAdapterFromLuidRequest>({
  name: "OpenAdapterFromLuidRequest",
  defaults: () => ({ luid: 0n }),
  write(w, v) {
    w.u64(v.luid ?? 0n);
  },
  read: (r) => ({
    luid: r.has() ? r.u64("luid") : 0n,
  }),
});

/** Reply: Opens the node's adapter. */
export interface OpenAdapterFromLuidReply {
  /** Adapter handle of this open file. */
  readonly adapter: number;
}
export const OpenAdapterFromLuidReply: StructCodec<OpenAdapterFromLuidReply> = structCodec<OpenAdapterFromLuidReply>({
  name: "OpenAdapterFromLuidReply",
  defaults: () => ({ adapter: 0 }),
  write(w, v) {
    w.u32(v.adapter ?? 0);
  },
  read: (r) => ({
    adapter: r.has() ? r.u32("adapter") : 0,
  }),
});

/** Creates a device; a refusal's detail is a JSON EngineRefusal. */
export interface CreateDeviceRequest {
  /** Adapter handle. */
  readonly adapter: number;
  /** Reserved, 0. */
  readonly flags: number;
  /** UTF-8 JSON DeviceRequest. */
  readonly privateData: Uint8Array;
}
export const CreateDeviceRequest: StructCodec<CreateDeviceRequest> = structCodec<CreateDeviceRequest>({
  name: "CreateDeviceRequest",
  defaults: () => ({ adapter: 0, flags: 0, privateData: new Uint8Array(0) }),
  write(w, v) {
    w.u32(v.adapter ?? 0);
    w.u32(v.flags ?? 0);
    w.bytes(v.privateData ?? new Uint8Array(0), 65536);
  },
  read: (r) => ({
    adapter: r.has() ? r.u32("adapter") : 0,
    flags: r.has() ? r.u32("flags") : 0,
    privateData: r.has() ? r.bytes("privateData", 65536) : new Uint8Array(0),
  }),
});

/** Reply: Creates a device; a refusal's detail is a JSON EngineRefusal. */
export interface CreateDeviceReply {
  /** Device handle. */
  readonly device: number;
  /** UTF-8 JSON DeviceGrant. */
  readonly privateData: Uint8Array;
}
export const CreateDeviceReply: StructCodec<CreateDeviceReply> = structCodec<CreateDeviceReply>({
  name: "CreateDeviceReply",
  defaults: () => ({ device: 0, privateData: new Uint8Array(0) }),
  write(w, v) {
    w.u32(v.device ?? 0);
    w.bytes(v.privateData ?? new Uint8Array(0), 65536);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
    privateData: r.has() ? r.bytes("privateData", 65536) : new Uint8Array(0),
  }),
});

/** Creates a context on a device. */
export interface CreateContextVirtualRequest {
  /** Device handle. */
  readonly device: number;
  /** Which engine of the adapter; 0. */
  readonly nodeOrdinal: number;
  /** Bit mask; 1. */
  readonly engineAffinity: number;
  /** Bit 4: hardware queues will be created on it. */
  readonly flags: number;
  /** Who asks, for the host's log. */
  readonly clientHint: number;
  /** Passed to the host as is. */
  readonly privateData: Uint8Array;
}
export const CreateContextVirtualRequest: StructCodec<CreateContextVirtualRequest> = structCodec<CreateContextVirtualRequest>({
  name: "CreateContextVirtualRequest",
  defaults: () => ({ device: 0, nodeOrdinal: 0, engineAffinity: 0, flags: 0, clientHint: 0, privateData: new Uint8Array(0) }),
  write(w, v) {
    w.u32(v.device ?? 0);
    w.u32(v.nodeOrdinal ?? 0);
    w.u32(v.engineAffinity ?? 0);
    w.u32(v.flags ?? 0);
    w.u32(v.clientHint ?? 0);
    w.bytes(v.privateData ?? new Uint8Array(0), 65536);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
    nodeOrdinal: r.has() ? r.u32("nodeOrdinal") : 0,
    engineAffinity: r.has() ? r.u32("engineAffinity") : 0,
    flags: r.has() ? r.u32("flags") : 0,
    clientHint: r.has() ? r.u32("clientHint") : 0,
    privateData: r.has() ? r.bytes("privateData", 65536) : new Uint8Array(0),
  }),
});

/** Reply: Creates a context on a device. */
export interface CreateContextVirtualReply {
  /** Context handle. */
  readonly context: number;
}
export const CreateContextVirtualReply: StructCodec<CreateContextVirtualReply> = structCodec<CreateContextVirtualReply>({
  name: "CreateContextVirtualReply",
  defaults: () => ({ context: 0 }),
  write(w, v) {
    w.u32(v.context ?? 0);
  },
  read: (r) => ({
    context: r.has() ? r.u32("context") : 0,
  }),
});

/** Destroys a context and its queues. */
export interface DestroyContextRequest {
  /** Context handle. */
  readonly context: number;
}
export const DestroyContextRequest: StructCodec<DestroyContextRequest> = structCodec<DestroyContextRequest>({
  name: "DestroyContextRequest",
  defaults: () => ({ context: 0 }),
  write(w, v) {
    w.u32(v.context ?? 0);
  },
  read: (r) => ({
    context: r.has() ? r.u32("context") : 0,
  }),
});

/** Reply: Destroys a context and its queues. */
export interface DestroyContextReply {
}
export const DestroyContextReply: StructCodec<DestroyContextReply> = structCodec<DestroyContextReply>({
  name: "DestroyContextReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Accounts memory to a device. */
export interface CreateAllocationRequest {
  /** Device handle. */
  readonly device: number;
  /** Reserved, 0. */
  readonly resource: number;
  /** Reserved, 0. */
  readonly flags: number;
  /** At least one. */
  readonly allocations: readonly AllocationInfo[];
}
export const CreateAllocationRequest: StructCodec<CreateAllocationRequest> = structCodec<CreateAllocationRequest>({
  name: "CreateAllocationRequest",
  defaults: () => ({ device: 0, resource: 0, flags: 0, allocations: [] }),
  write(w, v) {
    w.u32(v.device ?? 0);
    w.u32(v.resource ?? 0);
    w.u32(v.flags ?? 0);
    w.list(v.allocations ?? [], 1024, (element) => w.struct(() => AllocationInfo.write(w, element)));
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
    resource: r.has() ? r.u32("resource") : 0,
    flags: r.has() ? r.u32("flags") : 0,
    allocations: r.has() ? r.list("allocations", 1024, (r) => r.struct("allocations", (r) => AllocationInfo.read(r))) : [],
  }),
});

/** Reply: Accounts memory to a device. */
export interface CreateAllocationReply {
  /** Reserved, 0. */
  readonly resource: number;
  /** Allocation handles, in order. */
  readonly allocations: readonly number[];
}
export const CreateAllocationReply: StructCodec<CreateAllocationReply> = structCodec<CreateAllocationReply>({
  name: "CreateAllocationReply",
  defaults: () => ({ resource: 0, allocations: [] }),
  write(w, v) {
    w.u32(v.resource ?? 0);
    w.list(v.allocations ?? [], 1024, (element) => w.u32(element));
  },
  read: (r) => ({
    resource: r.has() ? r.u32("resource") : 0,
    allocations: r.has() ? r.list("allocations", 1024, (r) => r.u32("allocations")) : [],
  }),
});

/** Asks what the adapter is. */
export interface QueryAdapterInfoRequest {
  /** Adapter handle. */
  readonly adapter: number;
  /** 0x1000: JSON AdapterDescription; 0x1001: JSON SliceDescription; other numbers as KMTQUERYADAPTERINFOTYPE. */
  readonly infoType: number;
  /** Input of the query. */
  readonly privateData: Uint8Array;
}
export const QueryAdapterInfoRequest: StructCodec<QueryAdapterInfoRequest> = structCodec<QueryAdapterInfoRequest>({
  name: "QueryAdapterInfoRequest",
  defaults: () => ({ adapter: 0, infoType: 0, privateData: new Uint8Array(0) }),
  write(w, v) {
    w.u32(v.adapter ?? 0);
    w.u32(v.infoType ?? 0);
    w.bytes(v.privateData ?? new Uint8Array(0), 65536);
  },
  read: (r) => ({
    adapter: r.has() ? r.u32("adapter") : 0,
    infoType: r.has() ? r.u32("infoType") : 0,
    privateData: r.has() ? r.bytes("privateData", 65536) : new Uint8Array(0),
  }),
});

/** Reply: Asks what the adapter is. */
export interface QueryAdapterInfoReply {
  /** Answer of the query. */
  readonly privateData: Uint8Array;
}
export const QueryAdapterInfoReply: StructCodec<QueryAdapterInfoReply> = structCodec<QueryAdapterInfoReply>({
  name: "QueryAdapterInfoReply",
  defaults: () => ({ privateData: new Uint8Array(0) }),
  write(w, v) {
    w.bytes(v.privateData ?? new Uint8Array(0), 122880);
  },
  read: (r) => ({
    privateData: r.has() ? r.bytes("privateData", 122880) : new Uint8Array(0),
  }),
});

/** Asks what memory the adapter gives. */
export interface QueryVideoMemoryInfoRequest {
  /** Adapter handle. */
  readonly adapter: number;
  /** 0 local, 1 non-local. */
  readonly group: number;
}
export const QueryVideoMemoryInfoRequest: StructCodec<QueryVideoMemoryInfoRequest> = structCodec<QueryVideoMemoryInfoRequest>({
  name: "QueryVideoMemoryInfoRequest",
  defaults: () => ({ adapter: 0, group: 0 }),
  write(w, v) {
    w.u32(v.adapter ?? 0);
    w.u32(v.group ?? 0);
  },
  read: (r) => ({
    adapter: r.has() ? r.u32("adapter") : 0,
    group: r.has() ? r.u32("group") : 0,
  }),
});

/** Reply: Asks what memory the adapter gives. */
export interface QueryVideoMemoryInfoReply {
  /** Bytes that may be used. */
  readonly budget: bigint;
  /** Bytes in use by this process. */
  readonly usage: bigint;
  /** Bytes reserved. */
  readonly reservation: bigint;
  /** Bytes that can be reserved. */
  readonly available: bigint;
}
export const QueryVideoMemoryInfoReply: StructCodec<QueryVideoMemoryInfoReply> = structCodec<QueryVideoMemoryInfoReply>({
  name: "QueryVideoMemoryInfoReply",
  defaults: () => ({ budget: 0n, usage: 0n, reservation: 0n, available: 0n }),
  write(w, v) {
    w.u64(v.budget ?? 0n);
    w.u64(v.usage ?? 0n);
    w.u64(v.reservation ?? 0n);
    w.u64(v.available ?? 0n);
  },
  read: (r) => ({
    budget: r.has() ? r.u64("budget") : 0n,
    usage: r.has() ? r.u64("usage") : 0n,
    reservation: r.has() ? r.u64("reservation") : 0n,
    available: r.has() ? r.u64("available") : 0n,
  }),
});

/** Asks whether a device still works. */
export interface GetDeviceStateRequest {
  /** Device handle. */
  readonly device: number;
  /** 1: execution state. */
  readonly stateType: number;
}
export const GetDeviceStateRequest: StructCodec<GetDeviceStateRequest> = structCodec<GetDeviceStateRequest>({
  name: "GetDeviceStateRequest",
  defaults: () => ({ device: 0, stateType: 0 }),
  write(w, v) {
    w.u32(v.device ?? 0);
    w.u32(v.stateType ?? 0);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
    stateType: r.has() ? r.u32("stateType") : 0,
  }),
});

/** Reply: Asks whether a device still works. */
export interface GetDeviceStateReply {
  /** 1 active, 2 reset, 3 hung, 4 stopped, 5 out of memory. */
  readonly executionState: number;
  /** GPUDeviceLostInfo's reason when not active. */
  readonly reason: string;
  /** GPUDeviceLostInfo's message when not active. */
  readonly text: string;
}
export const GetDeviceStateReply: StructCodec<GetDeviceStateReply> = structCodec<GetDeviceStateReply>({
  name: "GetDeviceStateReply",
  defaults: () => ({ executionState: 0, reason: "", text: "" }),
  write(w, v) {
    w.u32(v.executionState ?? 0);
    w.string(v.reason ?? "", 255);
    w.string(v.text ?? "", 4096);
  },
  read: (r) => ({
    executionState: r.has() ? r.u32("executionState") : 0,
    reason: r.has() ? r.string("reason", 255) : "",
    text: r.has() ? r.string("text", 4096) : "",
  }),
});

/** Creates a monitored fence. */
export interface CreateSynchronizationObjectRequest {
  /** Device handle. */
  readonly device: number;
  /** 5: monitored fence, the only kind. */
  readonly kind: number;
  /** Reserved, 0. */
  readonly flags: number;
  /** Fence value at creation. */
  readonly initialValue: bigint;
}
export const CreateSynchronizationObjectRequest: StructCodec<CreateSynchronizationObjectRequest> = structCodec<CreateSynchronizationObjectRequest>({
  name: "CreateSynchronizationObjectRequest",
  defaults: () => ({ device: 0, kind: 0, flags: 0, initialValue: 0n }),
  write(w, v) {
    w.u32(v.device ?? 0);
    w.u32(v.kind ?? 0);
    w.u32(v.flags ?? 0);
    w.u64(v.initialValue ?? 0n);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
    kind: r.has() ? r.u32("kind") : 0,
    flags: r.has() ? r.u32("flags") : 0,
    initialValue: r.has() ? r.u64("initialValue") : 0n,
  }),
});

/** Reply: Creates a monitored fence. */
export interface CreateSynchronizationObjectReply {
  /** Monitored fence handle. */
  readonly syncObject: number;
}
export const CreateSynchronizationObjectReply: StructCodec<CreateSynchronizationObjectReply> = structCodec<CreateSynchronizationObjectReply>({
  name: "CreateSynchronizationObjectReply",
  defaults: () => ({ syncObject: 0 }),
  write(w, v) {
    w.u32(v.syncObject ?? 0);
  },
  read: (r) => ({
    syncObject: r.has() ? r.u32("syncObject") : 0,
  }),
});

/** Gives accounted memory back. */
export interface DestroyAllocation2Request {
  /** Device handle. */
  readonly device: number;
  /** Reserved, 0. */
  readonly resource: number;
  /** Allocation handles. */
  readonly allocations: readonly number[];
  /** Reserved, 0. */
  readonly flags: number;
}
export const DestroyAllocation2Request: StructCodec<DestroyAllocation2Request> = structCodec<DestroyAllocation2Request>({
  name: "DestroyAllocation2Request",
  defaults: () => ({ device: 0, resource: 0, allocations: [], flags: 0 }),
  write(w, v) {
    w.u32(v.device ?? 0);
    w.u32(v.resource ?? 0);
    w.list(v.allocations ?? [], 1024, (element) => w.u32(element));
    w.u32(v.flags ?? 0);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
    resource: r.has() ? r.u32("resource") : 0,
    allocations: r.has() ? r.list("allocations", 1024, (r) => r.u32("allocations")) : [],
    flags: r.has() ? r.u32("flags") : 0,
  }),
});

/** Reply: Gives accounted memory back. */
export interface DestroyAllocation2Reply {
}
export const DestroyAllocation2Reply: StructCodec<DestroyAllocation2Reply> = structCodec<DestroyAllocation2Reply>({
  name: "DestroyAllocation2Reply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Closes an adapter handle and what was created through it. */
export interface CloseAdapterRequest {
  /** Adapter handle. */
  readonly adapter: number;
}
export const CloseAdapterRequest: StructCodec<CloseAdapterRequest> = structCodec<CloseAdapterRequest>({
  name: "CloseAdapterRequest",
  defaults: () => ({ adapter: 0 }),
  write(w, v) {
    w.u32(v.adapter ?? 0);
  },
  read: (r) => ({
    adapter: r.has() ? r.u32("adapter") : 0,
  }),
});

/** Reply: Closes an adapter handle and what was created through it. */
export interface CloseAdapterReply {
}
export const CloseAdapterReply: StructCodec<CloseAdapterReply> = structCodec<CloseAdapterReply>({
  name: "CloseAdapterReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Creates a hardware queue on a context. */
export interface CreateHwQueueRequest {
  /** Context handle. */
  readonly context: number;
  /** Reserved, 0. */
  readonly flags: number;
  /** Passed to the host as is. */
  readonly privateData: Uint8Array;
}
export const CreateHwQueueRequest: StructCodec<CreateHwQueueRequest> = structCodec<CreateHwQueueRequest>({
  name: "CreateHwQueueRequest",
  defaults: () => ({ context: 0, flags: 0, privateData: new Uint8Array(0) }),
  write(w, v) {
    w.u32(v.context ?? 0);
    w.u32(v.flags ?? 0);
    w.bytes(v.privateData ?? new Uint8Array(0), 65536);
  },
  read: (r) => ({
    context: r.has() ? r.u32("context") : 0,
    flags: r.has() ? r.u32("flags") : 0,
    privateData: r.has() ? r.bytes("privateData", 65536) : new Uint8Array(0),
  }),
});

/** Reply: Creates a hardware queue on a context. */
export interface CreateHwQueueReply {
  /** Hardware queue handle. */
  readonly queue: number;
  /** Monitored fence that counts completed submits; owned by the queue. */
  readonly progressFence: number;
  /** Unix socket: a name in the run directory, or an absolute path. */
  readonly endpoint: string;
  /** Presented in QUEUE_HELLO; good for one connection. */
  readonly token: string;
  /** Names the queue to the engine when its objects are used on another device of the same process; passed through. */
  readonly serial: number;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const CreateHwQueueReply: StructCodec<CreateHwQueueReply> = structCodec<CreateHwQueueReply>({
  name: "CreateHwQueueReply",
  defaults: () => ({ queue: 0, progressFence: 0, endpoint: "", token: zeroHex16, serial: 0, slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.u32(v.queue ?? 0);
    w.u32(v.progressFence ?? 0);
    w.string(v.endpoint ?? "", 4096);
    w.hex16(v.token ?? zeroHex16);
    w.u32(v.serial ?? 0);
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    queue: r.has() ? r.u32("queue") : 0,
    progressFence: r.has() ? r.u32("progressFence") : 0,
    endpoint: r.has() ? r.string("endpoint", 4096) : "",
    token: r.has() ? r.hex16("token") : zeroHex16,
    serial: r.has() ? r.u32("serial") : 0,
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** Destroys a device and everything on it. */
export interface DestroyDeviceRequest {
  /** Device handle. */
  readonly device: number;
}
export const DestroyDeviceRequest: StructCodec<DestroyDeviceRequest> = structCodec<DestroyDeviceRequest>({
  name: "DestroyDeviceRequest",
  defaults: () => ({ device: 0 }),
  write(w, v) {
    w.u32(v.device ?? 0);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
  }),
});

/** Reply: Destroys a device and everything on it. */
export interface DestroyDeviceReply {
}
export const DestroyDeviceReply: StructCodec<DestroyDeviceReply> = structCodec<DestroyDeviceReply>({
  name: "DestroyDeviceReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Destroys a hardware queue. */
export interface DestroyHwQueueRequest {
  /** Hardware queue handle. */
  readonly queue: number;
}
export const DestroyHwQueueRequest: StructCodec<DestroyHwQueueRequest> = structCodec<DestroyHwQueueRequest>({
  name: "DestroyHwQueueRequest",
  defaults: () => ({ queue: 0 }),
  write(w, v) {
    w.u32(v.queue ?? 0);
  },
  read: (r) => ({
    queue: r.has() ? r.u32("queue") : 0,
  }),
});

/** Reply: Destroys a hardware queue. */
export interface DestroyHwQueueReply {
}
export const DestroyHwQueueReply: StructCodec<DestroyHwQueueReply> = structCodec<DestroyHwQueueReply>({
  name: "DestroyHwQueueReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Destroys a monitored fence. */
export interface DestroySynchronizationObjectRequest {
  /** Monitored fence handle. */
  readonly syncObject: number;
}
export const DestroySynchronizationObjectRequest: StructCodec<DestroySynchronizationObjectRequest> = structCodec<DestroySynchronizationObjectRequest>({
  name: "DestroySynchronizationObjectRequest",
  defaults: () => ({ syncObject: 0 }),
  write(w, v) {
    w.u32(v.syncObject ?? 0);
  },
  read: (r) => ({
    syncObject: r.has() ? r.u32("syncObject") : 0,
  }),
});

/** Reply: Destroys a monitored fence. */
export interface DestroySynchronizationObjectReply {
}
export const DestroySynchronizationObjectReply: StructCodec<DestroySynchronizationObjectReply> = structCodec<DestroySynchronizationObjectReply>({
  name: "DestroySynchronizationObjectReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Sets fences. */
export interface SignalSynchronizationObjectFromCpuRequest {
  /** Device handle. */
  readonly device: number;
  /** Monitored fences. */
  readonly objects: readonly number[];
  /** One value for each object. */
  readonly fenceValues: readonly bigint[];
  /** Bit 0: as soon as one wait is satisfied (waits only). */
  readonly flags: number;
}
export const SignalSynchronizationObjectFromCpuRequest: StructCodec<SignalSynchronizationObjectFromCpuRequest> = structCodec<SignalSynchronizationObjectFromCpuRequest>({
  name: "SignalSynchronizationObjectFromCpuRequest",
  defaults: () => ({ device: 0, objects: [], fenceValues: [], flags: 0 }),
  write(w, v) {
    w.u32(v.device ?? 0);
    w.list(v.objects ?? [], 32, (element) => w.u32(element));
    w.list(v.fenceValues ?? [], 32, (element) => w.u64(element));
    w.u32(v.flags ?? 0);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
    objects: r.has() ? r.list("objects", 32, (r) => r.u32("objects")) : [],
    fenceValues: r.has() ? r.list("fenceValues", 32, (r) => r.u64("fenceValues")) : [],
    flags: r.has() ? r.u32("flags") : 0,
  }),
});

/** Reply: Sets fences. */
export interface SignalSynchronizationObjectFromCpuReply {
}
export const SignalSynchronizationObjectFromCpuReply: StructCodec<SignalSynchronizationObjectFromCpuReply> = structCodec<SignalSynchronizationObjectFromCpuReply>({
  name: "SignalSynchronizationObjectFromCpuReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** A hardware queue's doorbell on the control path: the engine looks at the queue's ring now, and says what to wait for. */
export interface SubmitCommandToHwQueueRequest {
  /** Hardware queue handle. */
  readonly queue: number;
  /** Reserved, 0. */
  readonly flags: number;
}
export const SubmitCommandToHwQueueRequest: StructCodec<SubmitCommandToHwQueueRequest> = structCodec<SubmitCommandToHwQueueRequest>({
  name: "SubmitCommandToHwQueueRequest",
  defaults: () => ({ queue: 0, flags: 0 }),
  write(w, v) {
    w.u32(v.queue ?? 0);
    w.u32(v.flags ?? 0);
  },
  read: (r) => ({
    queue: r.has() ? r.u32("queue") : 0,
    flags: r.has() ? r.u32("flags") : 0,
  }),
});

/** Reply: A hardware queue's doorbell on the control path: the engine looks at the queue's ring now, and says what to wait for. */
export interface SubmitCommandToHwQueueReply {
  /** The progress fence has this value, or a later one, when what had been published at the request is done. */
  readonly fenceValue: bigint;
}
export const SubmitCommandToHwQueueReply: StructCodec<SubmitCommandToHwQueueReply> = structCodec<SubmitCommandToHwQueueReply>({
  name: "SubmitCommandToHwQueueReply",
  defaults: () => ({ fenceValue: 0n }),
  write(w, v) {
    w.u64(v.fenceValue ?? 0n);
  },
  read: (r) => ({
    fenceValue: r.has() ? r.u64("fenceValue") : 0n,
  }),
});

/** Replies when the fences have reached the values. */
export interface WaitForSynchronizationObjectFromCpuRequest {
  /** Device handle. */
  readonly device: number;
  /** Monitored fences. */
  readonly objects: readonly number[];
  /** One value for each object. */
  readonly fenceValues: readonly bigint[];
  /** Bit 0: as soon as one wait is satisfied (waits only). */
  readonly flags: number;
  /** The reply is -EAGAIN when this passes first; 0: the receiver's own limit. */
  readonly timeoutMs: number;
}
export const WaitForSynchronizationObjectFromCpuRequest: StructCodec<WaitForSynchronizationObjectFromCpuRequest> = structCodec<WaitForSynchronizationObjectFromCpuRequest>({
  name: "WaitForSynchronizationObjectFromCpuRequest",
  defaults: () => ({ device: 0, objects: [], fenceValues: [], flags: 0, timeoutMs: 0 }),
  write(w, v) {
    w.u32(v.device ?? 0);
    w.list(v.objects ?? [], 32, (element) => w.u32(element));
    w.list(v.fenceValues ?? [], 32, (element) => w.u64(element));
    w.u32(v.flags ?? 0);
    w.u32(v.timeoutMs ?? 0);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
    objects: r.has() ? r.list("objects", 32, (r) => r.u32("objects")) : [],
    fenceValues: r.has() ? r.list("fenceValues", 32, (r) => r.u64("fenceValues")) : [],
    flags: r.has() ? r.u32("flags") : 0,
    timeoutMs: r.has() ? r.u32("timeoutMs") : 0,
  }),
});

/** Reply: Replies when the fences have reached the values. */
export interface WaitForSynchronizationObjectFromCpuReply {
}
export const WaitForSynchronizationObjectFromCpuReply: StructCodec<WaitForSynchronizationObjectFromCpuReply> = structCodec<WaitForSynchronizationObjectFromCpuReply>({
  name: "WaitForSynchronizationObjectFromCpuReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** On the control node: which vGPUs there are. */
export interface EnumAdapters3Request {
  /** Reserved, 0. */
  readonly filter: bigint;
}
export const EnumAdapters3Request: StructCodec<EnumAdapters3Request> = structCodec<EnumAdapters3Request>({
  name: "EnumAdapters3Request",
  defaults: () => ({ filter: 0n }),
  write(w, v) {
    w.u64(v.filter ?? 0n);
  },
  read: (r) => ({
    filter: r.has() ? r.u64("filter") : 0n,
  }),
});

/** Reply: On the control node: which vGPUs there are. */
export interface EnumAdapters3Reply {
  /** In the order of their numbers. */
  readonly adapters: readonly AdapterInfo[];
}
export const EnumAdapters3Reply: StructCodec<EnumAdapters3Reply> = structCodec<EnumAdapters3Reply>({
  name: "EnumAdapters3Reply",
  defaults: () => ({ adapters: [] }),
  write(w, v) {
    w.list(v.adapters ?? [], 1024, (element) => w.struct(() => AdapterInfo.write(w, element)));
  },
  read: (r) => ({
    adapters: r.has() ? r.list("adapters", 1024, (r) => r.struct("adapters", (r) => AdapterInfo.read(r))) : [],
  }),
});

/** Asks for one feature by number. */
export interface IsFeatureEnabledRequest {
  /** Adapter handle. */
  readonly adapter: number;
  /** Feature number. */
  readonly feature: number;
}
export const IsFeatureEnabledRequest: StructCodec<IsFeatureEnabledRequest> = structCodec<IsFeatureEnabledRequest>({
  name: "IsFeatureEnabledRequest",
  defaults: () => ({ adapter: 0, feature: 0 }),
  write(w, v) {
    w.u32(v.adapter ?? 0);
    w.u32(v.feature ?? 0);
  },
  read: (r) => ({
    adapter: r.has() ? r.u32("adapter") : 0,
    feature: r.has() ? r.u32("feature") : 0,
  }),
});

/** Reply: Asks for one feature by number. */
export interface IsFeatureEnabledReply {
  /** 0 when not known. */
  readonly version: number;
  /** Bit 0: enabled. Bit 1: known. */
  readonly value: number;
}
export const IsFeatureEnabledReply: StructCodec<IsFeatureEnabledReply> = structCodec<IsFeatureEnabledReply>({
  name: "IsFeatureEnabledReply",
  defaults: () => ({ version: 0, value: 0 }),
  write(w, v) {
    w.u16(v.version ?? 0);
    w.u16(v.value ?? 0);
  },
  read: (r) => ({
    version: r.has() ? r.u16("version") : 0,
    value: r.has() ? r.u16("value") : 0,
  }),
});

/** Numbers. The dxg driver's requests; the numbers are those of its ioctls. */
export const Ioctl = {
  OPENADAPTERFROMLUID: 1,
  CREATEDEVICE: 2,
  CREATECONTEXTVIRTUAL: 4,
  DESTROYCONTEXT: 5,
  CREATEALLOCATION: 6,
  QUERYADAPTERINFO: 9,
  QUERYVIDEOMEMORYINFO: 10,
  GETDEVICESTATE: 14,
  CREATESYNCHRONIZATIONOBJECT: 16,
  DESTROYALLOCATION2: 19,
  CLOSEADAPTER: 21,
  CREATEHWQUEUE: 24,
  DESTROYDEVICE: 25,
  DESTROYHWQUEUE: 27,
  DESTROYSYNCHRONIZATIONOBJECT: 29,
  SIGNALSYNCHRONIZATIONOBJECTFROMCPU: 49,
  SUBMITCOMMANDTOHWQUEUE: 52,
  WAITFORSYNCHRONIZATIONOBJECTFROMCPU: 58,
  ENUMADAPTERS3: 62,
  ISFEATUREENABLED: 73,
} as const;

/** The dxg driver's requests; the numbers are those of its ioctls. */
export const ioctl = {
  /** Opens the node's adapter. */
  openAdapterFromLuid: { type: 1, name: "openAdapterFromLuid", request: OpenAdapterFromLuidRequest, reply: OpenAdapterFromLuidReply },
  /** Creates a device; a refusal's detail is a JSON EngineRefusal. */
  createDevice: { type: 2, name: "createDevice", request: CreateDeviceRequest, reply: CreateDeviceReply },
  /** Creates a context on a device. */
  createContextVirtual: { type: 4, name: "createContextVirtual", request: CreateContextVirtualRequest, reply: CreateContextVirtualReply },
  /** Destroys a context and its queues. */
  destroyContext: { type: 5, name: "destroyContext", request: DestroyContextRequest, reply: DestroyContextReply },
  /** Accounts memory to a device. */
  createAllocation: { type: 6, name: "createAllocation", request: CreateAllocationRequest, reply: CreateAllocationReply },
  /** Asks what the adapter is. */
  queryAdapterInfo: { type: 9, name: "queryAdapterInfo", request: QueryAdapterInfoRequest, reply: QueryAdapterInfoReply },
  /** Asks what memory the adapter gives. */
  queryVideoMemoryInfo: { type: 10, name: "queryVideoMemoryInfo", request: QueryVideoMemoryInfoRequest, reply: QueryVideoMemoryInfoReply },
  /** Asks whether a device still works. */
  getDeviceState: { type: 14, name: "getDeviceState", request: GetDeviceStateRequest, reply: GetDeviceStateReply },
  /** Creates a monitored fence. */
  createSynchronizationObject: { type: 16, name: "createSynchronizationObject", request: CreateSynchronizationObjectRequest, reply: CreateSynchronizationObjectReply },
  /** Gives accounted memory back. */
  destroyAllocation2: { type: 19, name: "destroyAllocation2", request: DestroyAllocation2Request, reply: DestroyAllocation2Reply },
  /** Closes an adapter handle and what was created through it. */
  closeAdapter: { type: 21, name: "closeAdapter", request: CloseAdapterRequest, reply: CloseAdapterReply },
  /** Creates a hardware queue on a context. */
  createHwQueue: { type: 24, name: "createHwQueue", request: CreateHwQueueRequest, reply: CreateHwQueueReply },
  /** Destroys a device and everything on it. */
  destroyDevice: { type: 25, name: "destroyDevice", request: DestroyDeviceRequest, reply: DestroyDeviceReply },
  /** Destroys a hardware queue. */
  destroyHwQueue: { type: 27, name: "destroyHwQueue", request: DestroyHwQueueRequest, reply: DestroyHwQueueReply },
  /** Destroys a monitored fence. */
  destroySynchronizationObject: { type: 29, name: "destroySynchronizationObject", request: DestroySynchronizationObjectRequest, reply: DestroySynchronizationObjectReply },
  /** Sets fences. */
  signalSynchronizationObjectFromCpu: { type: 49, name: "signalSynchronizationObjectFromCpu", request: SignalSynchronizationObjectFromCpuRequest, reply: SignalSynchronizationObjectFromCpuReply },
  /** A hardware queue's doorbell on the control path: the engine looks at the queue's ring now, and says what to wait for. */
  submitCommandToHwQueue: { type: 52, name: "submitCommandToHwQueue", request: SubmitCommandToHwQueueRequest, reply: SubmitCommandToHwQueueReply },
  /** Replies when the fences have reached the values. */
  waitForSynchronizationObjectFromCpu: { type: 58, name: "waitForSynchronizationObjectFromCpu", request: WaitForSynchronizationObjectFromCpuRequest, reply: WaitForSynchronizationObjectFromCpuReply },
  /** On the control node: which vGPUs there are. */
  enumAdapters3: { type: 62, name: "enumAdapters3", request: EnumAdapters3Request, reply: EnumAdapters3Reply },
  /** Asks for one feature by number. */
  isFeatureEnabled: { type: 73, name: "isFeatureEnabled", request: IsFeatureEnabledRequest, reply: IsFeatureEnabledReply },
} as const;
