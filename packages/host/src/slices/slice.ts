/**
 * A slice in the hands of one holder, from its binding to its unbinding: an engine of its own, its devices, and what is charged to
 * it. The next holder gets another one of these, with another generation.
 */
import { isDeepStrictEqual } from "node:util";
import type { Runtime } from "parhelion-core";
import {
  type AdapterDescription,
  clampLimits,
  type DeviceGrant,
  type DeviceRequest,
  type EngineMemory,
  type EngineQuota,
  NtStatus,
} from "parhelion-protocol";
import type { EngineProcess } from "../engines/engine-process.js";
import type { EngineLoss } from "../engines/engine-state.js";
import type { EngineSupervisor } from "../engines/engine-supervisor.js";
import type { HostLimits } from "../limits.js";
import { tell } from "../observe/event-list.js";
import type { TimeShare } from "../time/time-share.js";
import { CommandError, charge, chargeRule } from "../vgpu/command-error.js";
import type { GuestProcess } from "../vgpu/guest-process.js";
import { type DeviceHome, type DeviceLoss, VgpuDevice } from "../vgpu/vgpu-device.js";
import type { SliceDescriptor } from "./descriptor.js";
import { quotaOf, type SliceMemoryUse, type SliceTerms } from "./terms.js";

export interface SliceInit {
  /** Also the instance of its vGPU channel. */
  readonly uuid: string;
  /** Instance of its PCI channel. */
  readonly pciInstance: string;
  /** Which of its guest's slices, from 0. */
  readonly index: number;
  /** Of all slices that this host ever made: a message about an earlier one can be told apart. */
  readonly generation: number;
  readonly terms: SliceTerms;
  /** Its place in the adapter's time. Default: its engine has the adapter whenever it likes. */
  readonly time?: TimeShare;
  readonly description: AdapterDescription;
  /** Where the engine listens for queues. */
  readonly queuePath: string;
  readonly limits: HostLimits;
  readonly runtime: Runtime;
  /** Told when the engine says how much memory is in use. */
  readonly onMemory?: () => void;
}

/** The guest that the slice is connected to. */
export interface SliceListener {
  deviceLost(device: VgpuDevice, loss: DeviceLoss): void;
  /** The description is another one than before. */
  descriptionChanged(): void;
  /** What may be used or what is used has changed. */
  memoryChanged?(): void;
}

export class Slice implements DeviceHome {
  readonly name: string;
  readonly runtime: Runtime;
  readonly uuid: string;
  readonly pciInstance: string;
  readonly index: number;
  readonly generation: number;
  readonly queuePath: string;
  readonly limits: HostLimits;
  readonly time: TimeShare | undefined;
  /** By the engine's number. */
  readonly devices = new Map<number, VgpuDevice>();
  allocatedBytes = 0;
  readonly engine: EngineSupervisor;
  #listener: SliceListener | null = null;
  #description: AdapterDescription;
  #terms: SliceTerms;
  /** What the engine was told last. */
  #told: EngineQuota | null = null;
  #use: EngineMemory = nothingUsed;
  readonly #onMemory: () => void;
  readonly #tokens = new Set<string>();
  #lastDevice = 0;
  /** Whose devices are being created and have no engine yet: one entry for each device. */
  readonly #awaiting: GuestProcess[] = [];
  /** How often all devices were taken away at once. */
  #clearings = 0;

  constructor(init: SliceInit, supervise: (slice: Slice) => EngineSupervisor) {
    this.runtime = init.runtime;
    this.name = `slice ${init.uuid}`;
    this.uuid = init.uuid;
    this.pciInstance = init.pciInstance;
    this.index = init.index;
    this.generation = init.generation;
    this.#terms = init.terms;
    this.#onMemory = init.onMemory ?? (() => undefined);
    this.#description = init.description;
    this.queuePath = init.queuePath;
    this.limits = init.limits;
    this.time = init.time;
    this.engine = supervise(this);
  }

  /** The adapter's, with limits that the slice can hold. */
  get description(): AdapterDescription {
    this.#access("read");
    const limits = clampLimits(this.#description.limits, this.#terms.descriptor.memory.limitBytes);
    return { ...this.#description, limits };
  }

  get descriptor(): SliceDescriptor {
    this.#access("read");
    return this.#terms.descriptor;
  }

  get memory(): SliceMemoryUse {
    this.#access("read");
    const { descriptor, grantBytes } = this.#terms;
    const { used, peak, refused } = this.#use;
    return { ...descriptor.memory, grantBytes, usedBytes: used, peakBytes: peak, refused };
  }

  /** For an engine that starts now. */
  takeQuota(): EngineQuota {
    this.#access("write");
    this.#told = quotaOf(this.#terms);
    return this.#told;
  }

  /** From now on; what is in use beyond it stays until it is freed. */
  agree(terms: SliceTerms): void {
    const before = this.description;
    this.#access("write");
    this.#terms = terms;
    this.time?.change(terms.descriptor);
    this.#tellQuota();
    if (!isDeepStrictEqual(this.description, before)) this.#listener?.descriptionChanged();
    this.#listener?.memoryChanged?.();
  }

  engineUses(engine: EngineProcess, memory: EngineMemory): void {
    this.#access("write");
    if (this.engine.living !== engine) return;
    this.#use = { ...memory, peak: Math.max(memory.peak, this.#use.peak) };
    this.#onMemory();
    this.#listener?.memoryChanged?.();
  }

  #tellQuota(): void {
    const engine = this.engine.living;
    const quota = quotaOf(this.#terms);
    if (engine === undefined || isDeepStrictEqual(quota, this.#told)) return;
    this.#told = quota;
    engine.setQuota(quota);
  }

  /** A fresh engine is the one that knows. */
  describe(description: AdapterDescription): void {
    this.#access("write");
    // What was agreed while it started.
    this.#tellQuota();
    if (isDeepStrictEqual(this.#description, description)) return;
    this.#description = description;
    this.#listener?.descriptionChanged();
  }

  /** One at a time; null: no guest is connected. */
  listen(listener: SliceListener | null): void {
    this.#access("write");
    this.#listener = listener;
  }

  /** Opaque to the guest, unique until the host restarts. */
  get luid(): bigint {
    return BigInt(this.generation);
  }

  /** Unique in the host: a process that uses two slices may name the queue of one on the other. */
  nextQueueNumber(): number {
    return this.runtime.ids.next("queue");
  }

  /** Tokens whose queue a remote guest may be about to connect. */
  rememberToken(token: string): void {
    this.#access("write");
    this.#tokens.add(token);
  }

  forgetToken(token: string): boolean {
    this.#access("write");
    return this.#tokens.delete(token);
  }

  /** @throws CommandError, EngineRefusedError, HostError */
  async createDevice(
    process: GuestProcess,
    request: DeviceRequest,
  ): Promise<{ readonly device: VgpuDevice; readonly grant: DeviceGrant }> {
    this.#access("write");
    charge(this.limits, this.uuid, "devicesPerSlice", this.devices.size + this.#awaiting.length);
    this.#chargeOpen(process);
    this.#awaiting.push(process);
    const clearings = this.#clearings;
    let engine: EngineProcess;
    try {
      engine = await this.engine.acquire(this.limits.enginePatienceMs);
    } finally {
      this.#access("write");
      this.#awaiting.splice(this.#awaiting.indexOf(process), 1);
    }
    // Whoever asked has closed the vGPU, and would never give the device back.
    if (this.#clearings !== clearings)
      throw new CommandError(NtStatus.DEVICE_REMOVED, "the vGPU was closed before the device had an engine");
    const device = new VgpuDevice(this, process, engine, ++this.#lastDevice);
    // Known before the engine is: a loss that overtakes the answer must find it.
    this.devices.set(device.number, device);
    process.access("write");
    process.devices.add(device);
    try {
      const grant = await engine.createDevice(device.number, process.number, request);
      this.#access("write");
      process.access("write");
      if (process.state === "destroyed") device.destroy("its process has gone");
      if (device.state === "creating") device.state = "active";
      device.assertActive();
      device.handle = process.add("device", device);
      return { device, grant: grant ?? { features: [], limits: {} } };
    } catch (error) {
      device.destroy("it could not be created");
      throw error;
    }
  }

  /** The engine says that one device is gone. */
  engineLostDevice(engine: EngineProcess, number: number, loss: DeviceLoss): void {
    this.#access("write");
    const device = this.devices.get(number);
    if (device?.engine === engine) this.#lose(device, loss);
  }

  engineLost(engine: EngineProcess, { reason }: EngineLoss): void {
    this.#access("write");
    for (const device of [...this.devices.values()]) {
      if (device.engine === engine) this.#lose(device, { reason: "unknown", message: reason });
    }
    // Its memory went with it.
    this.#use = { ...this.#use, used: 0 };
    this.#onMemory();
    this.#listener?.memoryChanged?.();
  }

  /** Those included that are only being created. */
  destroyDevices(why: string, by: "guest" | "host" = "guest"): void {
    this.#access("write");
    this.#clearings += 1;
    for (const device of [...this.devices.values()]) device.destroy(why, by);
  }

  /** A process is seen here when it asks for its first device. @throws CommandError QUOTA_EXCEEDED */
  #chargeOpen(process: GuestProcess): void {
    const open = new Set<unknown>(this.#awaiting);
    for (const device of this.devices.values()) open.add(device.process);
    if (!open.has(process)) chargeRule(this.uuid, "nodeOpens", this.#terms.descriptor.nodeOpens, open.size);
  }

  #lose(device: VgpuDevice, loss: DeviceLoss): void {
    if (device.state !== "active" && device.state !== "creating") return;
    device.lose(loss);
    // What an application destroys itself is not lost to it.
    if (loss.reason === "unknown")
      tell(this.runtime, "device.lost", { slice: this.uuid, device: device.number, reason: loss.message });
    // While it is being created the answer to the creation says it.
    if (device.handle !== 0) this.#listener?.deviceLost(device, loss);
  }

  #access(mode: "read" | "write"): void {
    this.runtime.scheduler.access(this, mode);
  }
}

const nothingUsed: EngineMemory = Object.freeze({ used: 0, peak: 0, refused: 0 });
