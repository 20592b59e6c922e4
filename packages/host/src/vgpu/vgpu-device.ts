/**
 * A device of a guest's process on one engine process: contexts, queues, fences and accounted memory hang off it and go with
 * it. When its engine dies it is lost for good; a new device gets the next engine.
 */
import type { Named, Runtime } from "parhelion-core";
import { NtStatus } from "parhelion-protocol";
import type { EngineProcess } from "../engines/engine-process.js";
import { CommandError } from "./command-error.js";
import { MonitoredFence, ProgressFence } from "./fence.js";
import { Life } from "./life.js";

export type VgpuDeviceState = "creating" | "active" | "lost" | "destroyed";

/** GPUDeviceLostInfo. */
export interface DeviceLoss {
  readonly reason: "unknown" | "destroyed";
  readonly message: string;
}

export interface VgpuContext {
  readonly device: VgpuDevice;
  readonly handle: number;
  readonly queues: Set<HwQueue>;
}

export interface HwQueue {
  readonly context: VgpuContext;
  readonly handle: number;
  readonly fenceHandle: number;
  readonly progress: ProgressFence;
  /** The engine's number of it. */
  readonly number: number;
  readonly token: string;
}

export interface VgpuAllocation {
  readonly device: VgpuDevice;
  /** Bytes that are accounted to the slice. */
  readonly size: number;
}

/** A fence's owner is its device; a progress fence goes with its queue. */
export interface VgpuSyncObject {
  readonly device: VgpuDevice;
  readonly fence: MonitoredFence | ProgressFence;
  /** Ends when the fence is destroyed: who waits for it waits no more. */
  readonly life: Life;
}

/** What handles of a process stand for, by the names of their types. */
export interface VgpuObjects {
  readonly device: VgpuDevice;
  readonly context: VgpuContext;
  readonly hwqueue: HwQueue;
  readonly allocation: VgpuAllocation;
  readonly syncobject: VgpuSyncObject;
}

/** What a device needs of the process that created it. */
export interface DeviceOwner {
  /** Declares to the scheduler that what the process has is read or changed. */
  access(mode: "read" | "write"): void;
  readonly handle: number;
  readonly devices: Set<VgpuDevice>;
  add<K extends keyof VgpuObjects>(type: K, object: VgpuObjects[K]): number;
  remove<K extends keyof VgpuObjects>(type: K, handle: number): VgpuObjects[K];
}

/** What a device needs of its slice. */
export interface DeviceHome extends Named {
  readonly runtime: Runtime;
  readonly devices: Map<number, VgpuDevice>;
  allocatedBytes: number;
  nextQueueNumber(): number;
  forgetToken(token: string): boolean;
}

export class VgpuDevice {
  readonly slice: DeviceHome;
  readonly process: DeviceOwner;
  readonly engine: EngineProcess;
  /** The engine's number of it, never reused within a slice. */
  readonly number: number;
  /** 0 while it is being created. */
  handle = 0;
  state: VgpuDeviceState = "creating";
  loss: DeviceLoss | undefined;
  readonly contexts = new Set<VgpuContext>();
  readonly #fences = new Set<number>();
  readonly #allocations = new Set<number>();
  /** Ends, with a CommandError, when the device is lost or destroyed: nothing that it promised will happen. */
  readonly life: Life;
  #queues = 0;

  constructor(slice: DeviceHome, process: DeviceOwner, engine: EngineProcess, number: number) {
    this.slice = slice;
    this.process = process;
    this.engine = engine;
    this.number = number;
    this.life = new Life(slice.runtime, `device ${number} of ${slice.name}`);
  }

  get counts(): { readonly queues: number; readonly fences: number; readonly allocations: number } {
    this.#access("read");
    return { queues: this.#queues, fences: this.#fences.size, allocations: this.#allocations.size };
  }

  /** @throws CommandError DEVICE_REMOVED */
  assertActive(): void {
    this.#access("read");
    if (this.state === "active") return;
    throw this.#gone(this.loss?.message ?? `it is ${this.state}`);
  }

  createContext(): VgpuContext {
    this.#access("write");
    const context = { device: this, handle: 0, queues: new Set<HwQueue>() };
    context.handle = this.process.add("context", context);
    this.contexts.add(context);
    return context;
  }

  destroyContext(context: VgpuContext): void {
    this.#access("write");
    for (const queue of [...context.queues]) this.destroyQueue(queue);
    this.contexts.delete(context);
    this.process.remove("context", context.handle);
  }

  /** @throws EngineRefusedError, HostError, CommandError DEVICE_REMOVED when the device or context goes meanwhile */
  async createQueue(context: VgpuContext, token: string): Promise<HwQueue> {
    this.#access("write");
    const number = this.slice.nextQueueNumber();
    this.#queues += 1;
    try {
      await this.engine.createQueue(this.number, number, token);
      this.#access("write");
      if (this.state !== "active" || !this.contexts.has(context)) {
        this.engine.destroyQueue(number);
        throw this.#gone("it went while its queue was made");
      }
    } catch (error) {
      this.#access("write");
      this.#queues -= 1;
      throw error;
    }
    const progress = new ProgressFence(this.slice.runtime, this.engine, number);
    const fenceHandle = this.#addFence(progress);
    const queue = { context, handle: 0, fenceHandle, progress, number, token };
    queue.handle = this.process.add("hwqueue", queue);
    context.queues.add(queue);
    return queue;
  }

  destroyQueue(queue: HwQueue): void {
    this.#access("write");
    this.engine.destroyQueue(queue.number);
    this.slice.forgetToken(queue.token);
    queue.context.queues.delete(queue);
    this.#removeFence(queue.fenceHandle);
    this.process.remove("hwqueue", queue.handle);
    this.#queues -= 1;
  }

  createFence(initial: bigint): number {
    this.#access("write");
    const { runtime, name } = this.slice;
    const handle = this.#addFence(new MonitoredFence(runtime, `fence of ${name}`, initial));
    this.#fences.add(handle);
    return handle;
  }

  /** @throws CommandError INVALID_PARAMETER for a queue's progress fence */
  destroyFence(handle: number): void {
    this.#access("write");
    if (!this.#fences.delete(handle)) {
      throw new CommandError(NtStatus.INVALID_PARAMETER, "a queue's progress fence goes with its queue");
    }
    this.#removeFence(handle);
  }

  createAllocation(size: number): number {
    this.#access("write");
    const handle = this.process.add("allocation", { device: this, size });
    this.#allocations.add(handle);
    this.slice.allocatedBytes += size;
    return handle;
  }

  destroyAllocation(handle: number): void {
    this.#access("write");
    const { size } = this.process.remove("allocation", handle);
    this.#allocations.delete(handle);
    this.slice.allocatedBytes -= size;
  }

  /** The engine, or the whole engine process, gave it up. What hangs off it stays until the guest destroys it. */
  lose(loss: DeviceLoss): void {
    this.#access("write");
    if (this.state === "lost" || this.state === "destroyed") return;
    this.state = "lost";
    this.loss = loss;
    this.life.end(this.#gone(loss.message));
  }

  /** Everything on it goes; safe to repeat. @param by "host": its application has not asked for it, and hears why */
  destroy(why: string, by: "guest" | "host" = "guest"): void {
    this.#access("write");
    this.process.access("write");
    if (this.state === "destroyed") return;
    this.state = "destroyed";
    this.life.end(this.#gone(why));
    for (const context of [...this.contexts]) this.destroyContext(context);
    for (const handle of [...this.#fences]) this.destroyFence(handle);
    for (const handle of [...this.#allocations]) this.destroyAllocation(handle);
    this.engine.destroyDevice(this.number, by === "host" ? why : undefined);
    this.slice.devices.delete(this.number);
    this.process.devices.delete(this);
    if (this.handle !== 0) this.process.remove("device", this.handle);
  }

  #addFence(fence: MonitoredFence | ProgressFence): number {
    const life = new Life(this.slice.runtime, `life of a ${fence.name}`);
    return this.process.add("syncobject", { device: this, fence, life });
  }

  #removeFence(handle: number): void {
    this.process
      .remove("syncobject", handle)
      .life.end(new CommandError(NtStatus.INVALID_HANDLE, "the fence was destroyed"));
  }

  /** All that hangs off the devices of a slice is shared by what runs for the slice. */
  #access(mode: "read" | "write"): void {
    this.slice.runtime.scheduler.access(this.slice, mode);
  }

  #gone(why: string): CommandError {
    return new CommandError(NtStatus.DEVICE_REMOVED, `the device is gone: ${why}`);
  }
}
