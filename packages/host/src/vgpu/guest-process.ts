/** One process in a guest, as the host sees it: a handle, and a table of what it created. */
import { HandleTable } from "parhelion-protocol";
import type { HostLimits } from "../limits.js";
import { charge } from "./command-error.js";
import type { MonitoredFence, ProgressFence } from "./fence.js";
import type { HwQueue, VgpuContext, VgpuDevice } from "./vgpu-device.js";

export interface VgpuAllocation {
  readonly device: VgpuDevice;
  /** Bytes that are accounted to the slice. */
  readonly size: number;
}

/** A fence's owner is its device; a progress fence goes with its queue. */
export interface VgpuSyncObject {
  readonly device: VgpuDevice;
  readonly fence: MonitoredFence | ProgressFence;
  /** Aborted when the fence is destroyed: who waits for it waits no more. */
  readonly life: AbortController;
}

interface ObjectTypes {
  readonly device: VgpuDevice;
  readonly context: VgpuContext;
  readonly hwqueue: HwQueue;
  readonly allocation: VgpuAllocation;
  readonly syncobject: VgpuSyncObject;
}

export class GuestProcess {
  /** For logs only: the guest chooses them. */
  readonly pid: number;
  readonly name: string;
  readonly devices = new Set<VgpuDevice>();
  state: "alive" | "destroyed" = "alive";
  /** Fence waits that are not answered. */
  waits = 0;
  readonly #objects = new HandleTable<ObjectTypes[keyof ObjectTypes]>({ limit: 2 ** 20 });

  constructor(pid: number, name: string) {
    this.pid = pid;
    this.name = name;
  }

  add<K extends keyof ObjectTypes>(type: K, object: ObjectTypes[K]): number {
    return this.#objects.add(type, object);
  }

  /** @throws ControlError EBADF */
  get<K extends keyof ObjectTypes>(type: K, handle: number): ObjectTypes[K] {
    return this.#objects.get(type, handle) as ObjectTypes[K];
  }

  /** @throws ControlError EBADF */
  remove<K extends keyof ObjectTypes>(type: K, handle: number): ObjectTypes[K] {
    return this.#objects.remove(type, handle) as ObjectTypes[K];
  }

  /** Everything that the process has goes; safe to repeat. */
  destroy(): void {
    this.state = "destroyed";
    for (const device of [...this.devices]) device.destroy("its process has gone");
  }
}

/** The processes of one connected guest. */
export class GuestProcesses {
  readonly #guest: string;
  readonly #limits: HostLimits;
  readonly #table = new HandleTable<GuestProcess>({ limit: 2 ** 16 });

  constructor(guest: string, limits: HostLimits) {
    this.#guest = guest;
    this.#limits = limits;
  }

  get size(): number {
    return this.#table.size;
  }

  *values(): IterableIterator<{ readonly handle: number; readonly process: GuestProcess }> {
    for (const { handle, object } of this.#table.entries()) yield { handle, process: object };
  }

  /** @throws CommandError QUOTA_EXCEEDED */
  create(pid: number, name: string): number {
    charge(this.#limits, this.#guest, "processesPerGuest", this.#table.size);
    return this.#table.add("process", new GuestProcess(pid, name));
  }

  /** @throws ControlError EBADF */
  get(handle: number): GuestProcess {
    return this.#table.get("process", handle);
  }

  /** @throws ControlError EBADF */
  destroy(handle: number): void {
    this.#table.remove("process", handle).destroy();
  }

  destroyAll(): void {
    for (const { handle } of [...this.#table.entries()]) this.destroy(handle);
  }
}
