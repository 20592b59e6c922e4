/** One Dawn device: its memory's account, its errors and its end. */
import type { Clock } from "parhelion-protocol";
import { limitsAsJson } from "./adapter.js";
import type { MemoryOwner } from "./collector.js";
import { unwrapMessage } from "./failures.js";
import { DeviceMemory } from "./memory.js";

export type LossReason = "unknown" | "destroyed";
export type ErrorKind = "validation" | "out-of-memory" | "internal";
export interface Loss {
  readonly reason: LossReason;
  readonly message: string;
}

/** The device's queue, as far as the device knows it. */
export interface DeviceQueue {
  uncaptured(kind: ErrorKind, message: string): void;
  deviceLost(loss: Loss): void;
  /** Idempotent. */
  end(reason: Error): void;
}

export class EngineDevice implements MemoryOwner {
  readonly id: number;
  /** Which process it is for. */
  readonly owner: number;
  readonly dawn: GPUDevice;
  readonly memory = new DeviceMemory();
  /** Read once: each access asks Dawn for all of them. */
  readonly limits: Readonly<Record<string, number>>;
  /** Set when the host makes the device's queue. */
  queue: DeviceQueue | undefined;
  #loss: Loss | undefined;
  readonly #lost: Promise<void>;

  constructor(
    id: number,
    owner: number,
    dawn: GPUDevice,
    onLost: (reason: LossReason, message: string) => void,
  ) {
    this.id = id;
    this.owner = owner;
    this.dawn = dawn;
    this.limits = limitsAsJson(dawn.limits);
    dawn.addEventListener("uncapturederror", (event) => {
      // Otherwise the binding prints it.
      event.preventDefault();
      this.queue?.uncaptured(errorKind(event.error), unwrapMessage(event.error.message));
    });
    this.#lost = dawn.lost.then(({ reason, message }) => {
      this.#loss = { reason, message };
      this.memory.clear();
      this.queue?.deviceLost(this.#loss);
      onLost(reason, message);
    });
  }

  /** Undefined while the device lives. */
  get loss(): Loss | undefined {
    return this.#loss;
  }

  /** Idempotent, as in WebGPU. */
  destroy(): void {
    this.dawn.destroy();
  }

  /**
   * Dawn frees what was dropped once the work recorded before is done, and writes count as recorded until something is
   * submitted. An application that drops and never submits would keep everything.
   */
  settle(): void {
    if (this.#loss !== undefined) return;
    this.dawn.queue.submit([]);
    const ignore = () => undefined;
    this.dawn.queue.onSubmittedWorkDone().then(ignore, ignore);
  }

  /** Resolves when Dawn has said that the device is lost, at the latest after `ms`. */
  async goneWithin(clock: Clock, ms: number): Promise<void> {
    let give: () => void = () => undefined;
    const timeout = new Promise<void>((resolve) => {
      give = resolve;
    });
    const timer = clock.setTimer(ms, give);
    await Promise.race([this.#lost, timeout]);
    timer.cancel();
  }
}

/** By name, because the classes are on the binding's own list of globals and nowhere else. */
export function errorKind(error: GPUError): ErrorKind {
  switch (error.constructor.name) {
    case "GPUOutOfMemoryError":
      return "out-of-memory";
    case "GPUInternalError":
      return "internal";
    default:
      return "validation";
  }
}
