/** Makes room for a command that found none: lets the GPUs finish, collects what applications dropped. For all queues at once. */
import type { Clock } from "parhelion-protocol";
import type { Collector } from "../collector.js";

/** A device, as far as it can give memory back. */
export interface Reclaimable {
  /** Bytes of objects that the application dropped and that were not collected. */
  readonly dropped: number;
  /** Whether something becomes free when its GPU work is done. */
  readonly passing: boolean;
  /** Resolves when all work recorded until now is done. Never rejects. */
  settle(): Promise<void>;
}

export interface ReclaimerOptions {
  readonly collector: Collector;
  readonly devices: () => Iterable<Reclaimable>;
  readonly clock: Clock;
  /** Milliseconds that GPUs have to finish before whoever waits is told anyway. */
  readonly patienceMs: number;
}

export class Reclaimer {
  readonly #options: ReclaimerOptions;
  #running: Promise<void> | undefined;

  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  /** Whether `reclaim` could free anything. */
  get hopeful(): boolean {
    return this.#running !== undefined || this.#any(({ passing, dropped }) => passing || dropped > 0);
  }

  /** Those who come while it is under way share it. @param round 1: waits for GPUs only, if that may do */
  reclaim(round: number): Promise<void> {
    this.#running ??= this.#reclaim(round).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #reclaim(round: number): Promise<void> {
    const collects = round > 1 || !this.#any(({ passing }) => passing);
    if (collects && this.#any(({ dropped }) => dropped > 0)) await this.#options.collector.collectNow();
    await this.#settleAll();
  }

  #any(holds: (device: Reclaimable) => boolean): boolean {
    for (const device of this.#options.devices()) if (holds(device)) return true;
    return false;
  }

  async #settleAll(): Promise<void> {
    const { clock, devices, patienceMs } = this.#options;
    const settled = Promise.all([...devices()].filter(({ passing }) => passing).map((each) => each.settle()));
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(patienceMs, resolve);
      void settled.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
