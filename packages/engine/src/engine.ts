/**
 * One adapter's devices and queues. Knows neither sockets nor the host's IPC: what runs in the child process is what runs in
 * the in-process embedding.
 */
import {
  type Clock,
  type DeviceGrant,
  type DeviceRequest,
  type EngineMemory,
  type EngineQuota,
  type EngineService,
  type EngineStatistics,
  noSlice,
  type ObjectTable,
  type QueueOwner,
} from "parhelion-protocol";
import { DeviceAccount } from "./accounting/account.js";
import { Admission } from "./accounting/admission.js";
import { SliceLedger } from "./accounting/ledger.js";
import { Reclaimer } from "./accounting/reclaimer.js";
import { reportMemory } from "./accounting/report.js";
import { checkRequiredLimits } from "./accounting/required-limits.js";
import { DEVICE_BYTES } from "./accounting/sizes.js";
import { type AdapterChoice, requestDevice } from "./adapter.js";
import { Collector } from "./collector.js";
import { EngineDevice } from "./device.js";
import { refusalCodes } from "./error-codes.js";
import type { EngineLimits } from "./limits.js";
import { QueueSlot } from "./queue-slot.js";
import { limitRefusal, messageOf, Refusal } from "./refusal.js";
import { Scheduler } from "./scheduler.js";
import type { EngineTime } from "./time/engine-time.js";

export interface EngineOptions {
  readonly adapter: AdapterChoice;
  readonly limits: EngineLimits;
  readonly clock: Clock;
  /** Runs the JavaScript collector, entirely. */
  readonly collect: () => void;
  readonly onDeviceLost: (device: number, reason: "unknown" | "destroyed", message: string) => void;
  readonly log: (line: string) => void;
  /** Default: the adapter is this engine's alone. */
  readonly time?: EngineTime | undefined;
  /** Whose the engine is and what it may use. Default: nobody's, and without a limit of memory. */
  readonly service?: EngineService;
  /** Told what is in use when that has changed, at most every 100 ms. */
  readonly onMemory?: (memory: EngineMemory) => void;
  /** Commands were replayed: answers from Dawn may be near. */
  readonly onCommands?: () => void;
}

export class Engine {
  readonly #options: EngineOptions;
  /** "making" while Dawn works on it, "unwanted" when it was destroyed meanwhile. */
  readonly #devices = new Map<number, EngineDevice | "making" | "unwanted">();
  readonly #slots = new Map<number, QueueSlot>();
  readonly #tokens = new Map<string, QueueSlot>();
  readonly #scheduler = new Scheduler();
  readonly #collector: Collector;
  readonly #ledger: SliceLedger;
  readonly #reclaimer: Reclaimer;
  #submits = 0;
  #bytesReceived = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#collector = new Collector(options.collect, options.limits);
    const { slice, quota } = options.service ?? noSlice;
    this.#ledger = new SliceLedger(slice, quota);
    this.#reclaimer = new Reclaimer({
      collector: this.#collector,
      devices: () => this.#living(),
      clock: options.clock,
      patienceMs: options.limits.reclaimMs,
    });
    if (options.onMemory !== undefined) reportMemory(this.#ledger, options.clock, options.onMemory);
  }

  /**
   * @param owner which process it is for: see control.ts
   * @throws Refusal
   */
  async createDevice(id: number, owner: number, request: DeviceRequest): Promise<DeviceGrant> {
    if (this.#devices.has(id)) throw new Refusal("duplicate-id", `device ${id} exists already`);
    if (this.#devices.size >= this.#options.limits.devices)
      throw limitRefusal("too-many-devices", this.#options.limits, "devices", this.#devices.size, "devices");
    this.#devices.set(id, "making");
    const account = new DeviceAccount(this.#ledger);
    let dawn: GPUDevice;
    try {
      checkRequiredLimits(request.requiredLimits, this.#ledger.quota);
      await this.#charge(account);
      dawn = await requestDevice(this.#options.adapter, request);
    } catch (error) {
      account.close();
      this.#devices.delete(id);
      throw error;
    }
    if (this.#devices.get(id) !== "making") {
      account.close();
      dawn.destroy();
      this.#devices.delete(id);
      throw new Refusal("device-gone", `device ${id} was destroyed before it was made`);
    }
    const device = this.#adopt(id, owner, dawn, account);
    this.#devices.set(id, device);
    return { features: [...dawn.features], limits: device.limits };
  }

  /** The grant is another one from now on. */
  setQuota(quota: EngineQuota): void {
    this.#ledger.setQuota(quota);
  }

  /** What the slice uses, over all its devices. */
  get memory(): EngineMemory {
    return this.#ledger.memory;
  }

  /**
   * The device ends, its application is told, its queue closes. Unknown ids are ignored: both ends may destroy at once.
   * @param taken why the application loses it, where it has not asked for that
   */
  destroyDevice(id: number, why = "the host destroyed the device", taken?: string): void {
    const device = this.#devices.get(id);
    if (device === undefined || device === "unwanted") return;
    if (device === "making") {
      this.#devices.set(id, "unwanted");
      return;
    }
    this.#devices.delete(id);
    void this.#end(device, why, taken);
  }

  /** @throws Refusal */
  createQueue(deviceId: number, queue: number, token: string): void {
    const device = this.#devices.get(deviceId);
    if (!(device instanceof EngineDevice))
      throw new Refusal("unknown-device", `there is no device ${deviceId}`);
    if (this.#slots.has(queue) || this.#tokens.has(token))
      throw new Refusal("duplicate-id", `queue ${queue}, or its token, exists already`);
    if (device.queue !== undefined)
      throw new Refusal("duplicate-id", `device ${deviceId} has its queue already: a GPUDevice has one`);
    const slot = new QueueSlot(queue, device, token, {
      limits: this.#options.limits,
      clock: this.#options.clock,
      scheduler: this.#scheduler,
      collector: this.#collector,
      reclaimer: this.#reclaimer,
      objectsOf: (serial) => this.#objectsOf(serial, device.owner),
      onCommands: this.#options.onCommands ?? (() => undefined),
      onEnd: (ended, reason) => this.#slotEnded(ended, reason),
      log: this.#options.log,
      time: this.#options.time,
    });
    device.queue = slot;
    this.#slots.set(queue, slot);
    this.#tokens.set(token, slot);
  }

  destroyQueue(queue: number): void {
    this.#slots.get(queue)?.end(new Error("the host destroyed the queue"));
  }

  /** Whether a queue's token can be one of this engine's, as far as its bearer says whose it is. */
  serves({ slice, generation }: QueueOwner): boolean {
    if (generation === 0n) return true;
    const service = this.#options.service ?? noSlice;
    return slice === service.slice && generation === BigInt(service.generation);
  }

  /** The queue that `token` admits to, once: whoever comes second with it is refused. */
  redeem(token: string): QueueSlot | undefined {
    const slot = this.#tokens.get(token);
    this.#tokens.delete(token);
    return slot;
  }

  /** @throws Refusal */
  async waitFence(queue: number, value: number): Promise<number> {
    const slot = this.#slots.get(queue);
    if (slot === undefined) throw new Refusal("unknown-queue", `there is no queue ${queue}`);
    if (slot.fence.waiting >= this.#options.limits.fenceWaiters)
      throw this.#tooManyWaiters(slot.fence.waiting, queue);
    try {
      return await slot.fence.reach(value);
    } catch (error) {
      throw new Refusal("device-gone", `queue ${queue} ended before ${value}: ${messageOf(error)}`);
    }
  }

  /**
   * The queue's doorbell from outside: its ring is looked at now.
   * @returns the value that the queue's fence has once everything that had arrived in the ring is done
   * @throws Refusal unknown-queue, no-connection, too-many-waiters, device-gone
   */
  async submit(queue: number): Promise<number> {
    const slot = this.#slots.get(queue);
    if (slot === undefined) throw new Refusal("unknown-queue", `there is no queue ${queue}`);
    if (slot.asked >= this.#options.limits.fenceWaiters) throw this.#tooManyWaiters(slot.asked, queue);
    try {
      return await slot.submit();
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal("device-gone", `queue ${queue} ended before it was read: ${messageOf(error)}`);
    }
  }

  #tooManyWaiters(waiting: number, queue: number): Refusal {
    const { limits } = this.#options;
    return limitRefusal(
      "too-many-waiters",
      limits,
      "fenceWaiters",
      waiting,
      `callers who wait for queue ${queue}`,
    );
  }

  statistics(): EngineStatistics {
    let objects = 0;
    let submits = this.#submits;
    let bytesReceived = this.#bytesReceived;
    let residentBytes = 0;
    for (const slot of this.#slots.values()) {
      objects += slot.objects;
      submits += slot.fence.submitted;
      bytesReceived += slot.bytesReceived;
    }
    for (const device of this.#devices.values())
      if (device instanceof EngineDevice) residentBytes += device.account.bytes;
    return {
      devices: this.#devices.size,
      queues: this.#slots.size,
      objects,
      submits,
      bytesReceived,
      residentBytes,
    };
  }

  /** Ends everything; resolves when all devices are gone. */
  async close(): Promise<void> {
    const devices = [...this.#devices];
    this.#devices.clear();
    await Promise.all(
      devices.map(([, device]) =>
        device instanceof EngineDevice ? this.#end(device, "the engine was closed") : undefined,
      ),
    );
  }

  #objectsOf(queue: number, owner: number): ObjectTable | undefined {
    const slot = this.#slots.get(queue);
    return slot?.device.owner === owner ? slot.table : undefined;
  }

  *#living(): Iterable<EngineDevice> {
    for (const device of this.#devices.values()) if (device instanceof EngineDevice) yield device;
  }

  /** What a device takes before anything is created on it. @throws Refusal out-of-memory */
  async #charge(account: DeviceAccount): Promise<void> {
    const admission = new Admission({
      account,
      hopeful: () => this.#reclaimer.hopeful,
      reclaim: (round) => this.#reclaimer.reclaim(round),
    });
    const refused = await admission.memoryLater(DEVICE_BYTES, "requestDevice");
    if (refused === undefined) return;
    const { quota, used } = account.ledger;
    throw new Refusal("out-of-memory", refused, "OperationError", {
      rule: "memoryBytes",
      limit: quota.memoryBytes,
      used,
      wanted: DEVICE_BYTES,
      remedy: refusalCodes["out-of-memory"].remedy,
    });
  }

  #adopt(id: number, owner: number, dawn: GPUDevice, account: DeviceAccount): EngineDevice {
    return new EngineDevice(id, owner, dawn, account, (reason, message) => {
      this.#options.onDeviceLost(id, reason, message);
    });
  }

  #slotEnded(slot: QueueSlot, reason: Error): void {
    this.#slots.delete(slot.queue);
    this.#tokens.delete(slot.token);
    this.#submits += slot.fence.submitted;
    this.#bytesReceived += slot.bytesReceived;
    // The application is gone, so nobody can use the device any more.
    this.destroyDevice(slot.device.id, messageOf(reason));
  }

  async #end(device: EngineDevice, why: string, taken?: string): Promise<void> {
    device.destroy(taken);
    await device.goneWithin(this.#options.clock, this.#options.limits.farewellMs);
    device.queue?.end(new Error(why));
    this.#collector.plan();
  }
}
