/** The commands of a vGPU's channel, each a few lines on the objects that do the work. */
import type { Runtime } from "parhelion-core";
import {
  type DeviceRequest,
  isProtocolError,
  NtStatus,
  parseDeviceRequest,
  vgpuCommand,
} from "parhelion-protocol";
import type { HostLimits } from "../limits.js";
import type { Slice } from "../slices/slice.js";
import { describeAdapter, queryAdapter } from "./adapter-query.js";
import { CommandError, charge } from "./command-error.js";
import { type Command, command } from "./command-table.js";
import { MonitoredFence } from "./fence.js";
import { pairFences, submitToQueue, waitForFences } from "./fence-wait.js";
import type { GuestProcesses } from "./guest-process.js";
import { describeSliceOf, sliceDescriptionType } from "./slice-description.js";
import type { VgpuDevice } from "./vgpu-device.js";

/** What the commands of one vGPU in one connected guest work on. */
export interface VgpuEnd {
  readonly slice: Slice;
  readonly processes: GuestProcesses;
  readonly limits: HostLimits;
  readonly runtime: Runtime;
  /** The name under which the guest reaches the engine's queue socket in its run directory. */
  readonly endpoint: string;
  /** 0 by that socket, 1 through the guest kernel: the guest is on another machine. */
  readonly reach: 0 | 1;
  /** The host's handle of the adapter, for OPENADAPTER. */
  readonly adapterHandle: number;
  /** 32 hex digits that nobody can guess. */
  newToken(): string;
}

/** D3DKMT_DEVICEEXECUTION_STATE. */
const ExecutionState = { ACTIVE: 1, RESET: 2, STOPPED: 4 } as const;

/** D3DKMT_DEVICESTATE_EXECUTION. */
const executionStateType = 1;

/** D3DDDI_MONITORED_FENCE. */
const monitoredFence = 5;

/** KMT memory segment groups: 0 local, 1 non-local. */
const localGroup = 0;

export const vgpuCommands: readonly Command<VgpuEnd>[] = [
  command(vgpuCommand.openAdapter, (vgpu: VgpuEnd) => ({ adapter: vgpu.adapterHandle, features: 0n })),
  command(vgpuCommand.closeAdapter, (vgpu: VgpuEnd) => {
    vgpu.slice.destroyDevices("the guest's driver closed the adapter");
    return {};
  }),
  command(vgpuCommand.getInternalAdapterInfo, ({ slice }: VgpuEnd) => ({
    description: describeAdapter(slice.description),
    wgslLanguageFeatures: slice.description.wgslLanguageFeatures,
  })),
  command(vgpuCommand.queryAdapterInfo, ({ slice }: VgpuEnd, { infoType }) => ({
    privateData:
      infoType === sliceDescriptionType
        ? new TextEncoder().encode(JSON.stringify(describeSliceOf(slice)))
        : queryAdapter(slice.description, infoType),
  })),
  command(vgpuCommand.queryVideoMemoryInfo, ({ slice, limits }: VgpuEnd, { group }) => ({
    budget: group === localGroup ? BigInt(limits.allocatedBytesPerSlice) : 0n,
    usage: group === localGroup ? BigInt(slice.allocatedBytes) : 0n,
  })),
  // No feature of dxg's numbered list has a meaning here yet: version 0 says "not known".
  command(vgpuCommand.isFeatureEnabled, () => ({ version: 0, value: 0 })),

  command(vgpuCommand.createDevice, async (vgpu: VgpuEnd, { privateData }, handle) => {
    const process = vgpu.processes.get(handle);
    const { device, grant } = await vgpu.slice.createDevice(process, readDeviceRequest(privateData));
    return { device: device.handle, privateData: new TextEncoder().encode(JSON.stringify(grant)) };
  }),
  command(vgpuCommand.destroyDevice, (vgpu: VgpuEnd, request, handle) => {
    deviceOf(vgpu, handle, request.device).destroy("its process destroyed it");
    return {};
  }),
  command(vgpuCommand.getDeviceState, (vgpu: VgpuEnd, request, handle) => {
    const { loss } = deviceOf(vgpu, handle, request.device);
    if (request.stateType !== executionStateType) {
      throw new CommandError(NtStatus.NOT_SUPPORTED, `device state ${request.stateType} is not kept`);
    }
    if (loss === undefined) return { executionState: ExecutionState.ACTIVE };
    const executionState = loss.reason === "destroyed" ? ExecutionState.STOPPED : ExecutionState.RESET;
    return { executionState, reason: loss.reason, text: loss.message };
  }),

  command(vgpuCommand.createContextVirtual, (vgpu: VgpuEnd, request, handle) => {
    const device = activeDeviceOf(vgpu, handle, request.device);
    charge(vgpu.limits, vgpu.slice.uuid, "contextsPerDevice", device.contexts.size);
    return { context: device.createContext().handle };
  }),
  command(vgpuCommand.destroyContext, (vgpu: VgpuEnd, request, handle) => {
    const context = vgpu.processes.get(handle).get("context", request.context);
    context.device.destroyContext(context);
    return {};
  }),
  command(vgpuCommand.createHwQueue, async (vgpu: VgpuEnd, request, handle) => {
    const context = vgpu.processes.get(handle).get("context", request.context);
    const { device } = context;
    device.assertActive();
    charge(vgpu.limits, vgpu.slice.uuid, "queuesPerDevice", device.counts.queues);
    if (vgpu.reach === 1) vgpu.processes.chargeRemoteQueue();
    const token = vgpu.newToken();
    const queue = await device.createQueue(context, token);
    if (vgpu.reach === 1) vgpu.slice.rememberToken(token);
    return {
      queue: queue.handle,
      progressFence: queue.fenceHandle,
      endpoint: vgpu.endpoint,
      token,
      serial: queue.number,
      reach: vgpu.reach,
      slice: vgpu.slice.uuid,
      generation: BigInt(vgpu.slice.generation),
    };
  }),
  command(vgpuCommand.destroyHwQueue, (vgpu: VgpuEnd, request, handle) => {
    const queue = vgpu.processes.get(handle).get("hwqueue", request.queue);
    queue.context.device.destroyQueue(queue);
    return {};
  }),

  command(vgpuCommand.submitCommandToHwQueue, async (vgpu: VgpuEnd, request, handle) => {
    const process = vgpu.processes.get(handle);
    return { fenceValue: await submitToQueue({ ...vgpu, process }, request.queue) };
  }),

  command(vgpuCommand.createAllocation, (vgpu: VgpuEnd, request, handle) => {
    const device = activeDeviceOf(vgpu, handle, request.device);
    if (request.allocations.length === 0) {
      throw new CommandError(NtStatus.INVALID_PARAMETER, "name at least one allocation");
    }
    const sizes = request.allocations.map(({ size }) => allocationSize(size));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const { slice, limits } = vgpu;
    charge(limits, slice.uuid, "allocationsPerDevice", device.counts.allocations, sizes.length);
    charge(limits, slice.uuid, "allocatedBytesPerSlice", slice.allocatedBytes, total);
    return { resource: 0, allocations: sizes.map((size) => device.createAllocation(size)) };
  }),
  command(vgpuCommand.destroyAllocation, (vgpu: VgpuEnd, request, handle) => {
    const process = vgpu.processes.get(handle);
    const device = process.get("device", request.device);
    // All or none: a list with a wrong handle must not have half an effect.
    for (const allocation of request.allocations) {
      if (process.get("allocation", allocation).device !== device) {
        throw new CommandError(NtStatus.INVALID_PARAMETER, "an allocation is of another device");
      }
    }
    for (const allocation of new Set(request.allocations)) device.destroyAllocation(allocation);
    return {};
  }),

  command(vgpuCommand.createSyncObject, (vgpu: VgpuEnd, request, handle) => {
    const device = activeDeviceOf(vgpu, handle, request.device);
    if (request.kind !== monitoredFence) {
      throw new CommandError(NtStatus.NOT_SUPPORTED, `synchronization objects of type ${request.kind}`);
    }
    charge(vgpu.limits, vgpu.slice.uuid, "fencesPerDevice", device.counts.fences);
    return { syncObject: device.createFence(request.initialValue) };
  }),
  command(vgpuCommand.destroySyncObject, (vgpu: VgpuEnd, request, handle) => {
    const process = vgpu.processes.get(handle);
    process.get("syncobject", request.syncObject).device.destroyFence(request.syncObject);
    return {};
  }),
  command(vgpuCommand.signalSyncObject, (vgpu: VgpuEnd, request, handle) => {
    const pairs = pairFences(vgpu.processes.get(handle), request);
    for (const { object, value } of pairs) {
      if (!(object.fence instanceof MonitoredFence)) {
        throw new CommandError(NtStatus.INVALID_PARAMETER, "a queue's progress fence is set by its engine");
      }
      object.fence.assertCanSet(value);
    }
    for (const { object, value } of pairs) {
      if (object.fence instanceof MonitoredFence) object.fence.set(value);
    }
    return {};
  }),
  command(vgpuCommand.waitForSyncFromCpu, async (vgpu: VgpuEnd, request, handle) => {
    const process = vgpu.processes.get(handle);
    await waitForFences({ ...vgpu, process }, request);
    return {};
  }),
];

/** @throws ControlError EBADF, CommandError INVALID_PARAMETER for a device of another vGPU */
function deviceOf(vgpu: VgpuEnd, process: number, handle: number): VgpuDevice {
  const device = vgpu.processes.get(process).get("device", handle);
  if (device.slice !== vgpu.slice) {
    throw new CommandError(NtStatus.INVALID_PARAMETER, "the device is on another vGPU");
  }
  return device;
}

function activeDeviceOf(vgpu: VgpuEnd, process: number, handle: number): VgpuDevice {
  const device = deviceOf(vgpu, process, handle);
  device.assertActive();
  return device;
}

/** @throws CommandError INVALID_PARAMETER */
function readDeviceRequest(privateData: Uint8Array): DeviceRequest {
  try {
    return parseDeviceRequest(
      JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(privateData)),
      "request",
    );
  } catch (error) {
    const message = isProtocolError(error) ? error.message : "the device request is not UTF-8 JSON";
    throw new CommandError(NtStatus.INVALID_PARAMETER, message, { name: "OperationError", message });
  }
}

/** @throws CommandError INVALID_PARAMETER */
function allocationSize(size: bigint): number {
  if (size === 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new CommandError(NtStatus.INVALID_PARAMETER, `an allocation of ${size} bytes`);
  }
  return Number(size);
}
