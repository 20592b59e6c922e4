/**
 * The driver's requests: each is decoded, its handles are looked up with their types, and it becomes one host command.
 * What is created at the host gets its guest handle last, when nothing can fail any more; if the process has lost
 * its parent meanwhile, it is destroyed again.
 */
import { invoke, KernelError } from "parhelion-core";
import {
  type CreateAllocationReply,
  type CreateAllocationRequest,
  type CreateDeviceReply,
  type CreateDeviceRequest,
  type CreateHwQueueReply,
  type CreateHwQueueRequest,
  controlError,
  type Exchange,
  ioctl,
  type SignalSynchronizationObjectFromCpuRequest,
  vgpuCommand,
  type WaitForSynchronizationObjectFromCpuRequest,
} from "parhelion-protocol";
import type { DxgKind, DxgObject } from "./object.js";
import type { DxgProcess } from "./process.js";
import type { QueueDoor } from "./queues.js";

/** A monitored fence, the one kind of synchronization object (D3DDDI_MONITORED_FENCE). */
const monitoredFence = 5;
/** The state of a device as getDeviceState tells it: 4, stopped. */
const stopped = 4;
/** The longest that one wait for fences takes, in ms; shorter than any request's deadline, so that the answer is EAGAIN. */
export const MAX_FENCE_WAIT_MS = 20_000;

type Serve = (process: DxgProcess, body: Uint8Array) => Promise<Uint8Array>;

function serves<Q, R>(
  exchange: Exchange<Q, R>,
  serve: (process: DxgProcess, request: Q) => Promise<Partial<R>>,
): [number, Serve] {
  return [
    exchange.type,
    async (process, body) => exchange.reply.encode(await serve(process, exchange.request.decode(body))),
  ];
}

const table: ReadonlyMap<number, Serve> = new Map<number, Serve>([
  serves(ioctl.openAdapterFromLuid, async ({ objects, vgpu }, { luid }) => {
    // A LUID is good for as long as the vGPU: one from before must not open what came after.
    if (luid !== vgpu.luid)
      throw controlError("ENODEV", `this node has no adapter with LUID ${luid}; enumerate again`);
    return { adapter: objects.link("adapter", 0, null).handle };
  }),
  serves(ioctl.closeAdapter, async (process, { adapter }) => {
    await process.destroy(process.objects.get("adapter", adapter));
    return {};
  }),
  serves(ioctl.queryAdapterInfo, async (process, { adapter, infoType, privateData }) => {
    process.objects.get("adapter", adapter);
    return process.ask(vgpuCommand.queryAdapterInfo, { infoType, privateData });
  }),
  serves(ioctl.queryVideoMemoryInfo, async (process, { adapter, group }) => {
    process.objects.get("adapter", adapter);
    return process.ask(vgpuCommand.queryVideoMemoryInfo, { group });
  }),
  serves(ioctl.isFeatureEnabled, async (process, { adapter, feature }) => {
    process.objects.get("adapter", adapter);
    return process.ask(vgpuCommand.isFeatureEnabled, { feature });
  }),
  serves(ioctl.createDevice, createDevice),
  serves(ioctl.destroyDevice, (process, { device }) => destroyed(process, "device", device)),
  serves(ioctl.getDeviceState, async (process, { device, stateType }) => {
    const { host, loss } = process.objects.get("device", device);
    if (loss !== null) return { executionState: stopped, ...loss };
    return process.ask(vgpuCommand.getDeviceState, { device: host, stateType });
  }),
  serves(ioctl.createContextVirtual, async (process, request) => {
    const parent = process.objects.get("device", request.device);
    const { context } = await process.ask(
      vgpuCommand.createContextVirtual,
      { ...request, device: parent.host },
      (late) => process.abandon("context", late.context, parent),
    );
    return { context: (await adopt(process, "context", context, parent)).handle };
  }),
  serves(ioctl.destroyContext, (process, { context }) => destroyed(process, "context", context)),
  serves(ioctl.createHwQueue, createHwQueue),
  serves(ioctl.destroyHwQueue, (process, { queue }) => destroyed(process, "hwqueue", queue)),
  serves(ioctl.submitCommandToHwQueue, async (process, { queue, flags }) => {
    const { host } = process.objects.get("hwqueue", queue);
    return process.ask(vgpuCommand.submitCommandToHwQueue, { queue: host, flags });
  }),
  serves(ioctl.createAllocation, createAllocation),
  serves(ioctl.destroyAllocation2, async (process, { device, allocations }) => {
    const parent = process.objects.get("device", device);
    const objects = allocations.map((handle) => childOf(process, parent, "allocation", handle));
    for (const object of new Set(objects)) await process.destroy(object);
    return {};
  }),
  serves(ioctl.createSynchronizationObject, async (process, { device, kind, flags, initialValue }) => {
    const parent = process.objects.get("device", device);
    if (kind !== monitoredFence) {
      throw controlError(
        "EINVAL",
        `synchronization objects of kind ${kind} do not exist; ${monitoredFence}, monitored fence, does`,
      );
    }
    const reply = await process.ask(
      vgpuCommand.createSyncObject,
      { device: parent.host, kind, flags, initialValue },
      (late) => process.abandon("syncobject", late.syncObject, parent),
    );
    return { syncObject: (await adopt(process, "syncobject", reply.syncObject, parent)).handle };
  }),
  serves(ioctl.destroySynchronizationObject, async (process, { syncObject }) => {
    const object = process.objects.get("syncobject", syncObject);
    if (object.parent?.kind === "hwqueue")
      throw controlError("EBUSY", "the fence belongs to a queue; destroy the queue");
    await process.destroy(object);
    return {};
  }),
  serves(ioctl.signalSynchronizationObjectFromCpu, async (process, request) => {
    return process.ask(vgpuCommand.signalSyncObject, fencesAtHost(process, request));
  }),
  serves(ioctl.waitForSynchronizationObjectFromCpu, async (process, request) => {
    const { timeoutMs } = request;
    const bounded = timeoutMs === 0 ? MAX_FENCE_WAIT_MS : Math.min(timeoutMs, MAX_FENCE_WAIT_MS);
    return process.ask(vgpuCommand.waitForSyncFromCpu, {
      ...fencesAtHost(process, request),
      timeoutMs: bounded,
    });
  }),
]);

/** @throws ControlError ENOTTY unknown request; ProtocolError malformed; what the host refuses with */
export async function serveIoctl(process: DxgProcess, type: number, body: Uint8Array): Promise<Uint8Array> {
  const serve = table.get(type);
  if (serve === undefined)
    throw controlError("ENOTTY", `request 0x${type.toString(16)} is not supported by this node`);
  return serve(process, body);
}

async function createDevice(
  process: DxgProcess,
  { adapter, flags, privateData }: CreateDeviceRequest,
): Promise<CreateDeviceReply> {
  const parent = process.objects.get("adapter", adapter);
  return process.creatingDevice(async (lossOf) => {
    const reply = await process.ask(vgpuCommand.createDevice, { flags, privateData }, (late) =>
      process.abandon("device", late.device, parent),
    );
    const loss = lossOf(reply.device);
    if (loss !== undefined) {
      await process.abandon("device", reply.device, parent);
      throw controlError("ENODEV", `the device was lost while it was being created: ${loss.text}`);
    }
    const device = await adopt(process, "device", reply.device, parent);
    return { device: device.handle, privateData: reply.privateData };
  });
}

async function createHwQueue(
  process: DxgProcess,
  request: CreateHwQueueRequest,
): Promise<CreateHwQueueReply> {
  const { objects, vgpu } = process;
  const parent = objects.get("context", request.context);
  const reply = await process.ask(vgpuCommand.createHwQueue, { ...request, context: parent.host }, (late) =>
    process.abandon("hwqueue", late.queue, parent),
  );
  let door: QueueDoor = { endpoint: reply.endpoint, close: () => {} };
  try {
    if (reply.reach !== 0)
      door = await invoke(vgpu.runtime, "queue.open", process, () => vgpu.queues.open(reply));
  } catch (error) {
    await process.abandon("hwqueue", reply.queue, parent);
    throw error;
  }
  const queue = await adopt(process, "hwqueue", reply.queue, parent, door.close);
  try {
    const fence = objects.link("syncobject", reply.progressFence, queue);
    const { endpoint } = door;
    const { token, serial, slice, generation } = reply;
    return { queue: queue.handle, progressFence: fence.handle, endpoint, token, serial, slice, generation };
  } catch (error) {
    await process.destroy(queue);
    throw error;
  }
}

async function createAllocation(
  process: DxgProcess,
  request: CreateAllocationRequest,
): Promise<Partial<CreateAllocationReply>> {
  const parent = process.objects.get("device", request.device);
  if (request.allocations.length === 0) throw controlError("EINVAL", "no allocation is asked for");
  if (request.allocations.some(({ size }) => size === 0n))
    throw controlError("EINVAL", "an allocation of no bytes");
  const reply = await process.ask(
    vgpuCommand.createAllocation,
    { ...request, device: parent.host },
    async (late) => {
      for (const host of late.allocations) await process.abandon("allocation", host, parent);
    },
  );
  const adopted: DxgObject[] = [];
  try {
    for (const host of reply.allocations) adopted.push(await adopt(process, "allocation", host, parent));
    if (adopted.length !== request.allocations.length) {
      throw new KernelError(
        "EIO",
        `the host made ${adopted.length} of ${request.allocations.length} allocations`,
      );
    }
    return { allocations: adopted.map(({ handle }) => handle) };
  } catch (error) {
    // All or none: the application has no handle of those that were made. The one that failed is gone already.
    for (const object of adopted) {
      if (process.objects.linked(object)) await process.destroy(object);
    }
    for (const host of reply.allocations.slice(adopted.length + 1))
      await process.abandon("allocation", host, parent);
    throw error;
  }
}

/** Links what the host has made, or has it destroyed again when its parent went meanwhile or there is no room. */
async function adopt(
  process: DxgProcess,
  kind: DxgKind,
  host: number,
  parent: DxgObject,
  release?: () => void,
): Promise<DxgObject> {
  const { objects } = process;
  try {
    if (objects.linked(parent)) return objects.link(kind, host, parent, release);
    throw controlError("ENODEV", `the ${parent.kind} was destroyed while its ${kind} was being created`);
  } catch (error) {
    release?.();
    await process.abandon(kind, host, parent);
    throw error;
  }
}

async function destroyed(process: DxgProcess, kind: DxgKind, handle: number): Promise<Record<string, never>> {
  await process.destroy(process.objects.get(kind, handle));
  return {};
}

/** @throws ControlError EBADF; EINVAL for a handle of another device */
function childOf(process: DxgProcess, parent: DxgObject, kind: DxgKind, handle: number): DxgObject {
  const object = process.objects.get(kind, handle);
  for (let above = object.parent; above !== null; above = above.parent) if (above === parent) return object;
  throw controlError("EINVAL", `the ${kind} 0x${handle.toString(16)} is not of this ${parent.kind}`);
}

function fencesAtHost(
  process: DxgProcess,
  request: SignalSynchronizationObjectFromCpuRequest | WaitForSynchronizationObjectFromCpuRequest,
): SignalSynchronizationObjectFromCpuRequest {
  const device = process.objects.get("device", request.device);
  const { objects, fenceValues, flags } = request;
  if (objects.length === 0 || objects.length !== fenceValues.length) {
    throw controlError(
      "EINVAL",
      `${objects.length} fences and ${fenceValues.length} values: as many of each, at least one`,
    );
  }
  const hosts = objects.map((handle) => childOf(process, device, "syncobject", handle).host);
  return { device: device.host, objects: hosts, fenceValues, flags };
}
