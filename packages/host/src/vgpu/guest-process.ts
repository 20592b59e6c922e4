/** One process in a guest, as the host sees it: a handle, and a table of what it created. */
import type { Named, Runtime } from "parhelion-core";
import { HandleTable } from "parhelion-protocol";
import type { HostLimits } from "../limits.js";
import { charge } from "./command-error.js";
import type { DeviceOwner, VgpuDevice, VgpuObjects } from "./vgpu-device.js";

/** More than limits can be raised to: what a handle has room for. */
const mostObjects = 2 ** 24;

export class GuestProcess implements DeviceOwner {
  readonly #runtime: Runtime;
  /** Stands for all that the process has. */
  readonly #tables: Named;
  /** For logs only: the guest chooses them. */
  readonly pid: number;
  readonly name: string;
  readonly devices = new Set<VgpuDevice>();
  /** Of all processes that this host ever met; handles are used again. */
  readonly number: number;
  /** The host's handle of it, in the header of its commands. */
  handle = 0;
  state: "alive" | "destroyed" = "alive";
  /** Fence waits that are not answered. */
  waits = 0;
  readonly #limits: HostLimits;
  readonly #guest: string;
  readonly #objects = new HandleTable<VgpuObjects[keyof VgpuObjects]>({ limit: mostObjects });

  constructor(runtime: Runtime, guest: string, limits: HostLimits, pid: number, name: string) {
    const number = runtime.ids.next("guest process");
    this.#runtime = runtime;
    this.#limits = limits;
    this.#guest = guest;
    this.#tables = { name: `guest process ${number}` };
    this.number = number;
    this.pid = pid;
    this.name = name;
  }

  access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this.#tables, mode);
  }

  /** @throws CommandError QUOTA_EXCEEDED */
  add<K extends keyof VgpuObjects>(type: K, object: VgpuObjects[K]): number {
    this.access("write");
    charge(this.#limits, this.#guest, "objectsPerProcess", this.#objects.size);
    return this.#objects.add(type, object);
  }

  /** @throws ControlError EBADF */
  get<K extends keyof VgpuObjects>(type: K, handle: number): VgpuObjects[K] {
    this.access("read");
    return this.#objects.get(type, handle) as VgpuObjects[K];
  }

  /** @throws ControlError EBADF */
  remove<K extends keyof VgpuObjects>(type: K, handle: number): VgpuObjects[K] {
    this.access("write");
    return this.#objects.remove(type, handle) as VgpuObjects[K];
  }

  /** Everything that the process has goes; safe to repeat. */
  destroy(): void {
    this.access("write");
    this.state = "destroyed";
    for (const device of [...this.devices]) device.destroy("its process has gone");
  }
}

/** The processes of one connected guest. */
export class GuestProcesses implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #guest: string;
  readonly #limits: HostLimits;
  readonly #table = new HandleTable<GuestProcess>({ limit: 2 ** 16 });

  constructor(runtime: Runtime, guest: string, limits: HostLimits) {
    this.#runtime = runtime;
    this.name = `processes of guest ${guest}`;
    this.#guest = guest;
    this.#limits = limits;
  }

  get size(): number {
    return this.#table.size;
  }

  *values(): IterableIterator<{ readonly handle: number; readonly process: GuestProcess }> {
    this.#runtime.scheduler.access(this, "read");
    for (const { handle, object } of this.#table.entries()) yield { handle, process: object };
  }

  /** @throws CommandError QUOTA_EXCEEDED */
  create(pid: number, name: string): number {
    this.#runtime.scheduler.access(this, "write");
    charge(this.#limits, this.#guest, "processesPerGuest", this.#table.size);
    const process = new GuestProcess(this.#runtime, this.#guest, this.#limits, pid, name);
    process.handle = this.#table.add("process", process);
    return process.handle;
  }

  /**
   * For one more queue that has to be carried to another machine.
   * @throws CommandError QUOTA_EXCEEDED
   */
  chargeRemoteQueue(): void {
    let queues = 0;
    for (const { process } of this.values())
      for (const { counts } of process.devices) queues += counts.queues;
    charge(this.#limits, this.#guest, "remoteQueuesPerGuest", queues);
  }

  /** @throws ControlError EBADF */
  get(handle: number): GuestProcess {
    this.#runtime.scheduler.access(this, "read");
    return this.#table.get("process", handle);
  }

  /** @throws ControlError EBADF */
  destroy(handle: number): void {
    this.#runtime.scheduler.access(this, "write");
    this.#table.remove("process", handle).destroy();
  }

  destroyAll(): void {
    for (const { handle } of [...this.#table.entries()]) this.destroy(handle);
  }
}
