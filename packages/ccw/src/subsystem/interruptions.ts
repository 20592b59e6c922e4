/**
 * The interruptions that are pending: of each subclass in the order in which they became so, lower subclasses first. One
 * processor takes them, one after the other, as far as their subclasses are enabled.
 */
import type { Interruption } from "parhelion-buses";
import type { Named, Runtime } from "parhelion-core";

export type InterruptionHandler = (interruption: Interruption) => void | Promise<void>;

/** Who interrupts. */
export interface Interrupting {
  /** As of this moment. */
  readonly interruption: Interruption;
}

export class Interruptions implements Named {
  readonly name = "interruptions";
  readonly #runtime: Runtime;
  /** In the order in which they became pending; the subclass it was then. */
  readonly #pending = new Map<Interrupting, number>();
  #handler: InterruptionHandler | null = null;
  #enabled = 0;
  #processor: "idle" | "taking" = "idle";

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @param mask bit 0x80 is subclass 0 */
  enable(mask: number): void {
    this.#uses("write");
    this.#enabled = mask & 0xff;
    this.#start();
  }

  onInterruption(handler: InterruptionHandler | null): void {
    this.#uses("write");
    this.#handler = handler;
    this.#start();
  }

  /** Without effect when it is pending already. */
  add(source: Interrupting, isc: number): void {
    this.#uses("write");
    if (!this.#pending.has(source)) this.#pending.set(source, isc);
    this.#start();
  }

  remove(source: Interrupting): void {
    this.#uses("write");
    this.#pending.delete(source);
  }

  #start(): void {
    if (this.#processor === "taking" || this.#next() === null) return;
    this.#processor = "taking";
    this.#runtime.scheduler.spawn("interruptions", () => this.#take());
  }

  async #take(): Promise<void> {
    const { scheduler } = this.#runtime;
    for (;;) {
      await scheduler.yield("interruption", this);
      this.#uses("write");
      const source = this.#next();
      if (source === null) {
        this.#processor = "idle";
        return;
      }
      this.#pending.delete(source);
      try {
        await this.#handler?.(source.interruption);
      } catch (error) {
        this.#runtime.log("error", "css.interruption-failed", { error });
      }
    }
  }

  /** The first one that may interrupt; null when there is none, or nobody to interrupt. */
  #next(): Interrupting | null {
    if (this.#handler === null) return null;
    let best: Interrupting | null = null;
    let lowest = 8;
    for (const [source, isc] of this.#pending) {
      if (isc >= lowest || (this.#enabled & (0x80 >> isc)) === 0) continue;
      best = source;
      lowest = isc;
    }
    return best;
  }

  #uses(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
