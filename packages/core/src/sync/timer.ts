/** A callback in the future, as a task of its own. `cancelSync` is what makes it safe to tear down what it uses. */
import type { ClockTimer } from "../clock.js";
import type { Runtime, WaitOptions } from "../runtime.js";
import type { Named } from "./scheduler.js";
import { WaitQueue } from "./wait-queue.js";

export class Timer implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #expired: () => void | Promise<void>;
  readonly #idle: WaitQueue;
  #armed: ClockTimer | null = null;
  /** Expiries whose callback has not ended, the one that runs included: a callback never runs beside itself. */
  #due = 0;
  #cancelling = 0;

  /** @param expired runs once per `start`; a rejection is logged as `timer.failed` */
  constructor(runtime: Runtime, name: string, expired: () => void | Promise<void>) {
    this.#runtime = runtime;
    this.name = name;
    this.#expired = expired;
    this.#idle = new WaitQueue(runtime, `${name} idle`);
  }

  get pending(): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#armed !== null;
  }

  /** Expires `ms` from now; a timer that is armed already is set anew. False while it is being cancelled. */
  start(ms: number): boolean {
    this.#runtime.scheduler.access(this, "write");
    if (this.#cancelling > 0) return false;
    this.#armed?.cancel();
    const armed = this.#runtime.clock.setTimer(ms, () => {
      if (this.#armed === armed) this.#expire();
    });
    this.#armed = armed;
    return true;
  }

  /** Whether there was something to cancel. The callback may still be running. */
  cancel(): boolean {
    this.#runtime.scheduler.access(this, "write");
    const wasPending = this.#armed !== null || this.#due > 1;
    this.#armed?.cancel();
    this.#armed = null;
    this.#due = Math.min(this.#due, 1);
    return wasPending;
  }

  /**
   * Cancels and waits until the callback is not running; it can't start itself again meanwhile. Not from the
   * callback itself. @throws KernelError ETIMEDOUT: disarmed, but the callback still runs
   */
  async cancelSync(options?: WaitOptions): Promise<boolean> {
    const wasPending = this.cancel();
    this.#cancelling += 1;
    try {
      await this.#idle.wait(() => this.#due === 0, options);
    } finally {
      this.#runtime.scheduler.access(this, "write");
      this.#cancelling -= 1;
    }
    return wasPending;
  }

  #expire(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#armed = null;
    this.#due += 1;
    // The task that runs the callback for an earlier expiry runs it for this one as well.
    if (this.#due === 1) this.#runtime.scheduler.spawn(`timer ${this.name}`, () => this.#run());
  }

  async #run(): Promise<void> {
    do {
      try {
        await this.#expired();
      } catch (error) {
        this.#runtime.log("error", "timer.failed", { timer: this.name, error });
      }
      await this.#runtime.scheduler.yield("timer.done", this);
      this.#runtime.scheduler.access(this, "write");
      this.#due -= 1;
    } while (this.#due > 0);
    this.#idle.wake();
  }
}
