// Generated from idl/messages.schema.mjs by idl/messages.mjs; do not edit.
import { type StructCodec, structCodec, zeroGuid, zeroHex16 } from "../codec.js";
import { AllocationInfo } from "./structs.js";

/** A process opened a vGPU's node. */
export interface VmCreateProcessRequest {
  /** For the host's log. */
  readonly processId: number;
  /** For the host's log. */
  readonly name: string;
}
export const VmCreateProcessRequest: StructCodec<VmCreateProcessRequest> = structCodec<VmCreateProcessRequest>({
  name: "VmCreateProcessRequest",
  defaults: () => ({ processId: 0, name: "" }),
  write(w, v) {
    w.u32(v.processId ?? 0);
    w.string(v.name ?? "", 255);
  },
  read: (r) => ({
    processId: r.has() ? r.u32("processId") : 0,
    name: r.has() ? r.string("name", 255) : "",
  }),
});

/** Reply: A process opened a vGPU's node. */
export interface VmCreateProcessReply {
  /** Handle, goes into the header of everything that this process asks for. */
  readonly process: number;
}
export const VmCreateProcessReply: StructCodec<VmCreateProcessReply> = structCodec<VmCreateProcessReply>({
  name: "VmCreateProcessReply",
  defaults: () => ({ process: 0 }),
  write(w, v) {
    w.u32(v.process ?? 0);
  },
  read: (r) => ({
    process: r.has() ? r.u32("process") : 0,
  }),
});

/** The process of the header closed its node: everything it had goes. */
export interface VmDestroyProcessRequest {
}
export const VmDestroyProcessRequest: StructCodec<VmDestroyProcessRequest> = structCodec<VmDestroyProcessRequest>({
  name: "VmDestroyProcessRequest",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Reply: The process of the header closed its node: everything it had goes. */
export interface VmDestroyProcessReply {
}
export const VmDestroyProcessReply: StructCodec<VmDestroyProcessReply> = structCodec<VmDestroyProcessReply>({
  name: "VmDestroyProcessReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Numbers. dxg commands on the global channel, guest to host; the header's process is 0 or the one meant. */
export const VmCommand = {
  CREATEPROCESS: 1000,
  DESTROYPROCESS: 1001,
} as const;

/** dxg commands on the global channel, guest to host; the header's process is 0 or the one meant. */
export const vmCommand = {
  /** A process opened a vGPU's node. */
  createProcess: { type: 1000, name: "createProcess", request: VmCreateProcessRequest, reply: VmCreateProcessReply },
  /** The process of the header closed its node: everything it had goes. */
  destroyProcess: { type: 1001, name: "destroyProcess", request: VmDestroyProcessRequest, reply: VmDestroyProcessReply },
} as const;

/** A refusal's detail is a JSON EngineRefusal. */
export interface VgpuCreateDeviceRequest {
  /** Adapter handle. */
  readonly adapter: number;
  /** Reserved, 0. */
  readonly flags: number;
  /** UTF-8 JSON DeviceRequest. */
  readonly privateData: Uint8Array;
}
export const VgpuCreateDeviceRequest: StructCodec<VgpuCreateDeviceRequest> = structCodec<VgpuCreateDeviceRequest>({
  name: "VgpuCreateDeviceRequest",
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

/** Reply: A refusal's detail is a JSON EngineRefusal. */
export interface VgpuCreateDeviceReply {
  /** Device handle. */
  readonly device: number;
  /** UTF-8 JSON DeviceGrant. */
  readonly privateData: Uint8Array;
}
export const VgpuCreateDeviceReply: StructCodec<VgpuCreateDeviceReply> = structCodec<VgpuCreateDeviceReply>({
  name: "VgpuCreateDeviceReply",
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

/** The device and everything on it. */
export interface VgpuDestroyDeviceRequest {
  /** Device handle. */
  readonly device: number;
}
export const VgpuDestroyDeviceRequest: StructCodec<VgpuDestroyDeviceRequest> = structCodec<VgpuDestroyDeviceRequest>({
  name: "VgpuDestroyDeviceRequest",
  defaults: () => ({ device: 0 }),
  write(w, v) {
    w.u32(v.device ?? 0);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
  }),
});

/** Reply: The device and everything on it. */
export interface VgpuDestroyDeviceReply {
}
export const VgpuDestroyDeviceReply: StructCodec<VgpuDestroyDeviceReply> = structCodec<VgpuDestroyDeviceReply>({
  name: "VgpuDestroyDeviceReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** As the ioctl. */
export interface VgpuQueryAdapterInfoRequest {
  /** Adapter handle. */
  readonly adapter: number;
  /** 0x1000: JSON AdapterDescription; 0x1001: JSON SliceDescription; other numbers as KMTQUERYADAPTERINFOTYPE. */
  readonly infoType: number;
  /** Input of the query. */
  readonly privateData: Uint8Array;
}
export const VgpuQueryAdapterInfoRequest: StructCodec<VgpuQueryAdapterInfoRequest> = structCodec<VgpuQueryAdapterInfoRequest>({
  name: "VgpuQueryAdapterInfoRequest",
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

/** Reply: As the ioctl. */
export interface VgpuQueryAdapterInfoReply {
  /** Answer of the query. */
  readonly privateData: Uint8Array;
}
export const VgpuQueryAdapterInfoReply: StructCodec<VgpuQueryAdapterInfoReply> = structCodec<VgpuQueryAdapterInfoReply>({
  name: "VgpuQueryAdapterInfoReply",
  defaults: () => ({ privateData: new Uint8Array(0) }),
  write(w, v) {
    w.bytes(v.privateData ?? new Uint8Array(0), 122880);
  },
  read: (r) => ({
    privateData: r.has() ? r.bytes("privateData", 122880) : new Uint8Array(0),
  }),
});

/** As the ioctl. */
export interface VgpuCreateAllocationRequest {
  /** Device handle. */
  readonly device: number;
  /** Reserved, 0. */
  readonly resource: number;
  /** Reserved, 0. */
  readonly flags: number;
  /** At least one. */
  readonly allocations: readonly AllocationInfo[];
}
export const VgpuCreateAllocationRequest: StructCodec<VgpuCreateAllocationRequest> = structCodec<VgpuCreateAllocationRequest>({
  name: "VgpuCreateAllocationRequest",
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

/** Reply: As the ioctl. */
export interface VgpuCreateAllocationReply {
  /** Reserved, 0. */
  readonly resource: number;
  /** Allocation handles, in order. */
  readonly allocations: readonly number[];
}
export const VgpuCreateAllocationReply: StructCodec<VgpuCreateAllocationReply> = structCodec<VgpuCreateAllocationReply>({
  name: "VgpuCreateAllocationReply",
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

/** As destroyAllocation2. */
export interface VgpuDestroyAllocationRequest {
  /** Device handle. */
  readonly device: number;
  /** Reserved, 0. */
  readonly resource: number;
  /** Allocation handles. */
  readonly allocations: readonly number[];
  /** Reserved, 0. */
  readonly flags: number;
}
export const VgpuDestroyAllocationRequest: StructCodec<VgpuDestroyAllocationRequest> = structCodec<VgpuDestroyAllocationRequest>({
  name: "VgpuDestroyAllocationRequest",
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

/** Reply: As destroyAllocation2. */
export interface VgpuDestroyAllocationReply {
}
export const VgpuDestroyAllocationReply: StructCodec<VgpuDestroyAllocationReply> = structCodec<VgpuDestroyAllocationReply>({
  name: "VgpuDestroyAllocationReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** As the ioctl. */
export interface VgpuCreateContextVirtualRequest {
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
export const VgpuCreateContextVirtualRequest: StructCodec<VgpuCreateContextVirtualRequest> = structCodec<VgpuCreateContextVirtualRequest>({
  name: "VgpuCreateContextVirtualRequest",
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

/** Reply: As the ioctl. */
export interface VgpuCreateContextVirtualReply {
  /** Context handle. */
  readonly context: number;
}
export const VgpuCreateContextVirtualReply: StructCodec<VgpuCreateContextVirtualReply> = structCodec<VgpuCreateContextVirtualReply>({
  name: "VgpuCreateContextVirtualReply",
  defaults: () => ({ context: 0 }),
  write(w, v) {
    w.u32(v.context ?? 0);
  },
  read: (r) => ({
    context: r.has() ? r.u32("context") : 0,
  }),
});

/** The context and its queues. */
export interface VgpuDestroyContextRequest {
  /** Context handle. */
  readonly context: number;
}
export const VgpuDestroyContextRequest: StructCodec<VgpuDestroyContextRequest> = structCodec<VgpuDestroyContextRequest>({
  name: "VgpuDestroyContextRequest",
  defaults: () => ({ context: 0 }),
  write(w, v) {
    w.u32(v.context ?? 0);
  },
  read: (r) => ({
    context: r.has() ? r.u32("context") : 0,
  }),
});

/** Reply: The context and its queues. */
export interface VgpuDestroyContextReply {
}
export const VgpuDestroyContextReply: StructCodec<VgpuDestroyContextReply> = structCodec<VgpuDestroyContextReply>({
  name: "VgpuDestroyContextReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** As createSynchronizationObject. */
export interface VgpuCreateSyncObjectRequest {
  /** Device handle. */
  readonly device: number;
  /** 5: monitored fence, the only kind. */
  readonly kind: number;
  /** Reserved, 0. */
  readonly flags: number;
  /** Fence value at creation. */
  readonly initialValue: bigint;
}
export const VgpuCreateSyncObjectRequest: StructCodec<VgpuCreateSyncObjectRequest> = structCodec<VgpuCreateSyncObjectRequest>({
  name: "VgpuCreateSyncObjectRequest",
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

/** Reply: As createSynchronizationObject. */
export interface VgpuCreateSyncObjectReply {
  /** Monitored fence handle. */
  readonly syncObject: number;
}
export const VgpuCreateSyncObjectReply: StructCodec<VgpuCreateSyncObjectReply> = structCodec<VgpuCreateSyncObjectReply>({
  name: "VgpuCreateSyncObjectReply",
  defaults: () => ({ syncObject: 0 }),
  write(w, v) {
    w.u32(v.syncObject ?? 0);
  },
  read: (r) => ({
    syncObject: r.has() ? r.u32("syncObject") : 0,
  }),
});

/** The guest's driver begins to use the vGPU. */
export interface VgpuOpenAdapterRequest {
  /** Feature bits of the guest's driver. */
  readonly features: bigint;
}
export const VgpuOpenAdapterRequest: StructCodec<VgpuOpenAdapterRequest> = structCodec<VgpuOpenAdapterRequest>({
  name: "VgpuOpenAdapterRequest",
  defaults: () => ({ features: 0n }),
  write(w, v) {
    w.u64(v.features ?? 0n);
  },
  read: (r) => ({
    features: r.has() ? r.u64("features") : 0n,
  }),
});

/** Reply: The guest's driver begins to use the vGPU. */
export interface VgpuOpenAdapterReply {
  /** Host's handle of the adapter. */
  readonly adapter: number;
  /** Feature bits of the host. */
  readonly features: bigint;
}
export const VgpuOpenAdapterReply: StructCodec<VgpuOpenAdapterReply> = structCodec<VgpuOpenAdapterReply>({
  name: "VgpuOpenAdapterReply",
  defaults: () => ({ adapter: 0, features: 0n }),
  write(w, v) {
    w.u32(v.adapter ?? 0);
    w.u64(v.features ?? 0n);
  },
  read: (r) => ({
    adapter: r.has() ? r.u32("adapter") : 0,
    features: r.has() ? r.u64("features") : 0n,
  }),
});

/** The guest's driver no longer uses the vGPU. */
export interface VgpuCloseAdapterRequest {
  /** From openAdapter. */
  readonly adapter: number;
}
export const VgpuCloseAdapterRequest: StructCodec<VgpuCloseAdapterRequest> = structCodec<VgpuCloseAdapterRequest>({
  name: "VgpuCloseAdapterRequest",
  defaults: () => ({ adapter: 0 }),
  write(w, v) {
    w.u32(v.adapter ?? 0);
  },
  read: (r) => ({
    adapter: r.has() ? r.u32("adapter") : 0,
  }),
});

/** Reply: The guest's driver no longer uses the vGPU. */
export interface VgpuCloseAdapterReply {
}
export const VgpuCloseAdapterReply: StructCodec<VgpuCloseAdapterReply> = structCodec<VgpuCloseAdapterReply>({
  name: "VgpuCloseAdapterReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** As the ioctl. */
export interface VgpuQueryVideoMemoryInfoRequest {
  /** Adapter handle. */
  readonly adapter: number;
  /** 0 local, 1 non-local. */
  readonly group: number;
}
export const VgpuQueryVideoMemoryInfoRequest: StructCodec<VgpuQueryVideoMemoryInfoRequest> = structCodec<VgpuQueryVideoMemoryInfoRequest>({
  name: "VgpuQueryVideoMemoryInfoRequest",
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

/** Reply: As the ioctl. */
export interface VgpuQueryVideoMemoryInfoReply {
  /** Bytes that may be used. */
  readonly budget: bigint;
  /** Bytes in use by this process. */
  readonly usage: bigint;
  /** Bytes reserved. */
  readonly reservation: bigint;
  /** Bytes that can be reserved. */
  readonly available: bigint;
}
export const VgpuQueryVideoMemoryInfoReply: StructCodec<VgpuQueryVideoMemoryInfoReply> = structCodec<VgpuQueryVideoMemoryInfoReply>({
  name: "VgpuQueryVideoMemoryInfoReply",
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

/** Completes when the fences have reached the values. */
export interface VgpuWaitForSyncFromCpuRequest {
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
export const VgpuWaitForSyncFromCpuRequest: StructCodec<VgpuWaitForSyncFromCpuRequest> = structCodec<VgpuWaitForSyncFromCpuRequest>({
  name: "VgpuWaitForSyncFromCpuRequest",
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

/** Reply: Completes when the fences have reached the values. */
export interface VgpuWaitForSyncFromCpuReply {
}
export const VgpuWaitForSyncFromCpuReply: StructCodec<VgpuWaitForSyncFromCpuReply> = structCodec<VgpuWaitForSyncFromCpuReply>({
  name: "VgpuWaitForSyncFromCpuReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Sets fences. */
export interface VgpuSignalSyncObjectRequest {
  /** Device handle. */
  readonly device: number;
  /** Monitored fences. */
  readonly objects: readonly number[];
  /** One value for each object. */
  readonly fenceValues: readonly bigint[];
  /** Bit 0: as soon as one wait is satisfied (waits only). */
  readonly flags: number;
}
export const VgpuSignalSyncObjectRequest: StructCodec<VgpuSignalSyncObjectRequest> = structCodec<VgpuSignalSyncObjectRequest>({
  name: "VgpuSignalSyncObjectRequest",
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
export interface VgpuSignalSyncObjectReply {
}
export const VgpuSignalSyncObjectReply: StructCodec<VgpuSignalSyncObjectReply> = structCodec<VgpuSignalSyncObjectReply>({
  name: "VgpuSignalSyncObjectReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** As the ioctl. */
export interface VgpuGetDeviceStateRequest {
  /** Device handle. */
  readonly device: number;
  /** 1: execution state. */
  readonly stateType: number;
}
export const VgpuGetDeviceStateRequest: StructCodec<VgpuGetDeviceStateRequest> = structCodec<VgpuGetDeviceStateRequest>({
  name: "VgpuGetDeviceStateRequest",
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

/** Reply: As the ioctl. */
export interface VgpuGetDeviceStateReply {
  /** 1 active, 2 reset, 3 hung, 4 stopped, 5 out of memory. */
  readonly executionState: number;
  /** GPUDeviceLostInfo's reason when not active. */
  readonly reason: string;
  /** GPUDeviceLostInfo's message when not active. */
  readonly text: string;
}
export const VgpuGetDeviceStateReply: StructCodec<VgpuGetDeviceStateReply> = structCodec<VgpuGetDeviceStateReply>({
  name: "VgpuGetDeviceStateReply",
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

/** What the guest must know of the vGPU before anyone opens it. */
export interface VgpuGetInternalAdapterInfoRequest {
}
export const VgpuGetInternalAdapterInfoRequest: StructCodec<VgpuGetInternalAdapterInfoRequest> = structCodec<VgpuGetInternalAdapterInfoRequest>({
  name: "VgpuGetInternalAdapterInfoRequest",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Reply: What the guest must know of the vGPU before anyone opens it. */
export interface VgpuGetInternalAdapterInfoReply {
  /** For people. */
  readonly description: string;
  /** What applications read synchronously; empty when not known yet. */
  readonly wgslLanguageFeatures: readonly string[];
}
export const VgpuGetInternalAdapterInfoReply: StructCodec<VgpuGetInternalAdapterInfoReply> = structCodec<VgpuGetInternalAdapterInfoReply>({
  name: "VgpuGetInternalAdapterInfoReply",
  defaults: () => ({ description: "", wgslLanguageFeatures: [] }),
  write(w, v) {
    w.string(v.description ?? "", 4096);
    w.list(v.wgslLanguageFeatures ?? [], 256, (element) => w.string(element, 4096));
  },
  read: (r) => ({
    description: r.has() ? r.string("description", 4096) : "",
    wgslLanguageFeatures: r.has() ? r.list("wgslLanguageFeatures", 256, (r) => r.string("wgslLanguageFeatures", 4096)) : [],
  }),
});

/** As the ioctl. */
export interface VgpuCreateHwQueueRequest {
  /** Context handle. */
  readonly context: number;
  /** Reserved, 0. */
  readonly flags: number;
  /** Passed to the host as is. */
  readonly privateData: Uint8Array;
}
export const VgpuCreateHwQueueRequest: StructCodec<VgpuCreateHwQueueRequest> = structCodec<VgpuCreateHwQueueRequest>({
  name: "VgpuCreateHwQueueRequest",
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

/** Reply: As the ioctl. */
export interface VgpuCreateHwQueueReply {
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
  /** 0: the endpoint is a Unix socket that the application can connect to; 1: through the guest kernel. */
  readonly reach: number;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const VgpuCreateHwQueueReply: StructCodec<VgpuCreateHwQueueReply> = structCodec<VgpuCreateHwQueueReply>({
  name: "VgpuCreateHwQueueReply",
  defaults: () => ({ queue: 0, progressFence: 0, endpoint: "", token: zeroHex16, serial: 0, reach: 0, slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.u32(v.queue ?? 0);
    w.u32(v.progressFence ?? 0);
    w.string(v.endpoint ?? "", 4096);
    w.hex16(v.token ?? zeroHex16);
    w.u32(v.serial ?? 0);
    w.u32(v.reach ?? 0);
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    queue: r.has() ? r.u32("queue") : 0,
    progressFence: r.has() ? r.u32("progressFence") : 0,
    endpoint: r.has() ? r.string("endpoint", 4096) : "",
    token: r.has() ? r.hex16("token") : zeroHex16,
    serial: r.has() ? r.u32("serial") : 0,
    reach: r.has() ? r.u32("reach") : 0,
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** As the ioctl. */
export interface VgpuDestroyHwQueueRequest {
  /** Hardware queue handle. */
  readonly queue: number;
}
export const VgpuDestroyHwQueueRequest: StructCodec<VgpuDestroyHwQueueRequest> = structCodec<VgpuDestroyHwQueueRequest>({
  name: "VgpuDestroyHwQueueRequest",
  defaults: () => ({ queue: 0 }),
  write(w, v) {
    w.u32(v.queue ?? 0);
  },
  read: (r) => ({
    queue: r.has() ? r.u32("queue") : 0,
  }),
});

/** Reply: As the ioctl. */
export interface VgpuDestroyHwQueueReply {
}
export const VgpuDestroyHwQueueReply: StructCodec<VgpuDestroyHwQueueReply> = structCodec<VgpuDestroyHwQueueReply>({
  name: "VgpuDestroyHwQueueReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** As the ioctl. */
export interface VgpuSubmitCommandToHwQueueRequest {
  /** Hardware queue handle. */
  readonly queue: number;
  /** Reserved, 0. */
  readonly flags: number;
}
export const VgpuSubmitCommandToHwQueueRequest: StructCodec<VgpuSubmitCommandToHwQueueRequest> = structCodec<VgpuSubmitCommandToHwQueueRequest>({
  name: "VgpuSubmitCommandToHwQueueRequest",
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

/** Reply: As the ioctl. */
export interface VgpuSubmitCommandToHwQueueReply {
  /** The progress fence has this value, or a later one, when what had been published at the request is done. */
  readonly fenceValue: bigint;
}
export const VgpuSubmitCommandToHwQueueReply: StructCodec<VgpuSubmitCommandToHwQueueReply> = structCodec<VgpuSubmitCommandToHwQueueReply>({
  name: "VgpuSubmitCommandToHwQueueReply",
  defaults: () => ({ fenceValue: 0n }),
  write(w, v) {
    w.u64(v.fenceValue ?? 0n);
  },
  read: (r) => ({
    fenceValue: r.has() ? r.u64("fenceValue") : 0n,
  }),
});

/** As the ioctl. */
export interface VgpuIsFeatureEnabledRequest {
  /** Adapter handle. */
  readonly adapter: number;
  /** Feature number. */
  readonly feature: number;
}
export const VgpuIsFeatureEnabledRequest: StructCodec<VgpuIsFeatureEnabledRequest> = structCodec<VgpuIsFeatureEnabledRequest>({
  name: "VgpuIsFeatureEnabledRequest",
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

/** Reply: As the ioctl. */
export interface VgpuIsFeatureEnabledReply {
  /** 0 when not known. */
  readonly version: number;
  /** Bit 0: enabled. Bit 1: known. */
  readonly value: number;
}
export const VgpuIsFeatureEnabledReply: StructCodec<VgpuIsFeatureEnabledReply> = structCodec<VgpuIsFeatureEnabledReply>({
  name: "VgpuIsFeatureEnabledReply",
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

/** As destroySynchronizationObject; ours, because the fence is the device's. */
export interface VgpuDestroySyncObjectRequest {
  /** Monitored fence handle. */
  readonly syncObject: number;
}
export const VgpuDestroySyncObjectRequest: StructCodec<VgpuDestroySyncObjectRequest> = structCodec<VgpuDestroySyncObjectRequest>({
  name: "VgpuDestroySyncObjectRequest",
  defaults: () => ({ syncObject: 0 }),
  write(w, v) {
    w.u32(v.syncObject ?? 0);
  },
  read: (r) => ({
    syncObject: r.has() ? r.u32("syncObject") : 0,
  }),
});

/** Reply: As destroySynchronizationObject; ours, because the fence is the device's. */
export interface VgpuDestroySyncObjectReply {
}
export const VgpuDestroySyncObjectReply: StructCodec<VgpuDestroySyncObjectReply> = structCodec<VgpuDestroySyncObjectReply>({
  name: "VgpuDestroySyncObjectReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Numbers. dxg commands on a vGPU's channel, guest to host. The adapter is the channel's; handles are the host's. */
export const VgpuCommand = {
  CREATEDEVICE: 0,
  DESTROYDEVICE: 1,
  QUERYADAPTERINFO: 2,
  CREATEALLOCATION: 4,
  DESTROYALLOCATION: 5,
  CREATECONTEXTVIRTUAL: 6,
  DESTROYCONTEXT: 7,
  CREATESYNCOBJECT: 8,
  OPENADAPTER: 14,
  CLOSEADAPTER: 15,
  QUERYVIDEOMEMORYINFO: 21,
  WAITFORSYNCFROMCPU: 22,
  SIGNALSYNCOBJECT: 26,
  GETDEVICESTATE: 28,
  GETINTERNALADAPTERINFO: 36,
  CREATEHWQUEUE: 50,
  DESTROYHWQUEUE: 51,
  SUBMITCOMMANDTOHWQUEUE: 52,
  ISFEATUREENABLED: 68,
  DESTROYSYNCOBJECT: 259,
} as const;

/** dxg commands on a vGPU's channel, guest to host. The adapter is the channel's; handles are the host's. */
export const vgpuCommand = {
  /** A refusal's detail is a JSON EngineRefusal. */
  createDevice: { type: 0, name: "createDevice", request: VgpuCreateDeviceRequest, reply: VgpuCreateDeviceReply },
  /** The device and everything on it. */
  destroyDevice: { type: 1, name: "destroyDevice", request: VgpuDestroyDeviceRequest, reply: VgpuDestroyDeviceReply },
  /** As the ioctl. */
  queryAdapterInfo: { type: 2, name: "queryAdapterInfo", request: VgpuQueryAdapterInfoRequest, reply: VgpuQueryAdapterInfoReply },
  /** As the ioctl. */
  createAllocation: { type: 4, name: "createAllocation", request: VgpuCreateAllocationRequest, reply: VgpuCreateAllocationReply },
  /** As destroyAllocation2. */
  destroyAllocation: { type: 5, name: "destroyAllocation", request: VgpuDestroyAllocationRequest, reply: VgpuDestroyAllocationReply },
  /** As the ioctl. */
  createContextVirtual: { type: 6, name: "createContextVirtual", request: VgpuCreateContextVirtualRequest, reply: VgpuCreateContextVirtualReply },
  /** The context and its queues. */
  destroyContext: { type: 7, name: "destroyContext", request: VgpuDestroyContextRequest, reply: VgpuDestroyContextReply },
  /** As createSynchronizationObject. */
  createSyncObject: { type: 8, name: "createSyncObject", request: VgpuCreateSyncObjectRequest, reply: VgpuCreateSyncObjectReply },
  /** The guest's driver begins to use the vGPU. */
  openAdapter: { type: 14, name: "openAdapter", request: VgpuOpenAdapterRequest, reply: VgpuOpenAdapterReply },
  /** The guest's driver no longer uses the vGPU. */
  closeAdapter: { type: 15, name: "closeAdapter", request: VgpuCloseAdapterRequest, reply: VgpuCloseAdapterReply },
  /** As the ioctl. */
  queryVideoMemoryInfo: { type: 21, name: "queryVideoMemoryInfo", request: VgpuQueryVideoMemoryInfoRequest, reply: VgpuQueryVideoMemoryInfoReply },
  /** Completes when the fences have reached the values. */
  waitForSyncFromCpu: { type: 22, name: "waitForSyncFromCpu", request: VgpuWaitForSyncFromCpuRequest, reply: VgpuWaitForSyncFromCpuReply },
  /** Sets fences. */
  signalSyncObject: { type: 26, name: "signalSyncObject", request: VgpuSignalSyncObjectRequest, reply: VgpuSignalSyncObjectReply },
  /** As the ioctl. */
  getDeviceState: { type: 28, name: "getDeviceState", request: VgpuGetDeviceStateRequest, reply: VgpuGetDeviceStateReply },
  /** What the guest must know of the vGPU before anyone opens it. */
  getInternalAdapterInfo: { type: 36, name: "getInternalAdapterInfo", request: VgpuGetInternalAdapterInfoRequest, reply: VgpuGetInternalAdapterInfoReply },
  /** As the ioctl. */
  createHwQueue: { type: 50, name: "createHwQueue", request: VgpuCreateHwQueueRequest, reply: VgpuCreateHwQueueReply },
  /** As the ioctl. */
  destroyHwQueue: { type: 51, name: "destroyHwQueue", request: VgpuDestroyHwQueueRequest, reply: VgpuDestroyHwQueueReply },
  /** As the ioctl. */
  submitCommandToHwQueue: { type: 52, name: "submitCommandToHwQueue", request: VgpuSubmitCommandToHwQueueRequest, reply: VgpuSubmitCommandToHwQueueReply },
  /** As the ioctl. */
  isFeatureEnabled: { type: 68, name: "isFeatureEnabled", request: VgpuIsFeatureEnabledRequest, reply: VgpuIsFeatureEnabledReply },
  /** As destroySynchronizationObject; ours, because the fence is the device's. */
  destroySyncObject: { type: 259, name: "destroySyncObject", request: VgpuDestroySyncObjectRequest, reply: VgpuDestroySyncObjectReply },
} as const;

/** The device works no more. */
export interface GuestDeviceLost {
  /** Device handle. */
  readonly device: number;
  /** GPUDeviceLostInfo's reason. */
  readonly reason: string;
  /** GPUDeviceLostInfo's message. */
  readonly text: string;
}
export const GuestDeviceLost: StructCodec<GuestDeviceLost> = structCodec<GuestDeviceLost>({
  name: "GuestDeviceLost",
  defaults: () => ({ device: 0, reason: "", text: "" }),
  write(w, v) {
    w.u32(v.device ?? 0);
    w.string(v.reason ?? "", 255);
    w.string(v.text ?? "", 4096);
  },
  read: (r) => ({
    device: r.has() ? r.u32("device") : 0,
    reason: r.has() ? r.string("reason", 255) : "",
    text: r.has() ? r.string("text", 4096) : "",
  }),
});

/** What getInternalAdapterInfo answers has changed. */
export interface GuestAdapterInfoChanged {
}
export const GuestAdapterInfoChanged: StructCodec<GuestAdapterInfoChanged> = structCodec<GuestAdapterInfoChanged>({
  name: "GuestAdapterInfoChanged",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** What the slice may have, and has, of its adapter's memory. */
export interface GuestMemoryChanged {
  /** Bytes that the slice may have in use. */
  readonly limit: bigint;
  /** Bytes that it has in use. */
  readonly used: bigint;
  /** Bytes that are its own, whatever others do. */
  readonly reserved: bigint;
}
export const GuestMemoryChanged: StructCodec<GuestMemoryChanged> = structCodec<GuestMemoryChanged>({
  name: "GuestMemoryChanged",
  defaults: () => ({ limit: 0n, used: 0n, reserved: 0n }),
  write(w, v) {
    w.u64(v.limit ?? 0n);
    w.u64(v.used ?? 0n);
    w.u64(v.reserved ?? 0n);
  },
  read: (r) => ({
    limit: r.has() ? r.u64("limit") : 0n,
    used: r.has() ? r.u64("used") : 0n,
    reserved: r.has() ? r.u64("reserved") : 0n,
  }),
});

/** Numbers. dxg messages on a vGPU's channel, host to guest, not completed; the header's process is the owner. */
export const GuestCommand = {
  DEVICELOST: 256,
  ADAPTERINFOCHANGED: 257,
  MEMORYCHANGED: 258,
} as const;

/** dxg messages on a vGPU's channel, host to guest, not completed; the header's process is the owner. */
export const guestCommand = {
  /** The device works no more. */
  deviceLost: { type: 256, name: "deviceLost", body: GuestDeviceLost },
  /** What getInternalAdapterInfo answers has changed. */
  adapterInfoChanged: { type: 257, name: "adapterInfoChanged", body: GuestAdapterInfoChanged },
  /** What the slice may have, and has, of its adapter's memory. */
  memoryChanged: { type: 258, name: "memoryChanged", body: GuestMemoryChanged },
} as const;
