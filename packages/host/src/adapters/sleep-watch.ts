/**
 * Notices that the machine has slept: its clock since boot went on meanwhile, the clock that timers run on did not. What an adapter
 * and its driver make of a sleep is not known before they are asked.
 */
import { uptime } from "node:os";
import { type Named, noDeadline, type Runtime, Timer } from "parhelion-core";
import { tell } from "../observe/event-list.js";

/** Milliseconds since the machine was booted, sleep included (CLOCK_BOOTTIME). */
export type BootClock = () => number;

/** The one place in the package that reads it. */
export const systemBootClock: BootClock = () => uptime() * 1000;

/** How often the clocks are compared, in ms. */
const everyMs = 5000;
/** Reading one clock after the other on a busy machine is no sleep, in ms. */
const leastMs = 2000;

export class SleepWatch implements Named {
  readonly name = "sleep watch";
  readonly #runtime: Runtime;
  readonly #bootClock: BootClock;
  readonly #onWake: (sleptMs: number) => void;
  readonly #timer: Timer;
  #ahead: number;

  /** Watches until it is closed. */
  constructor(runtime: Runtime, bootClock: BootClock, onWake: (sleptMs: number) => void) {
    this.#runtime = runtime;
    this.#bootClock = bootClock;
    this.#onWake = onWake;
    this.#ahead = this.#measure();
    this.#timer = new Timer(runtime, this.name, () => this.#look());
    this.#timer.start(everyMs);
  }

  async close(): Promise<void> {
    await this.#timer.cancelSync({ deadline: noDeadline });
  }

  #look(): void {
    this.#runtime.scheduler.access(this, "write");
    const ahead = this.#measure();
    const sleptMs = Math.round(ahead - this.#ahead);
    this.#ahead = ahead;
    this.#timer.start(everyMs);
    if (sleptMs < leastMs) return;
    tell(this.#runtime, "clock.jumped", { byMs: sleptMs });
    this.#onWake(sleptMs);
  }

  #measure(): number {
    return this.#bootClock() - this.#runtime.clock.now();
  }
}
