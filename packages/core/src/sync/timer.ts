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
  #running = 0;
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
      if (this.#armed !== armed) return;
      this.#runtime.scheduler.access(this, "write");
      this.#armed = null;
      this.#running += 1;
      this.#runtime.scheduler.spawn(`timer ${this.name}`, () => this.#run());
    });
    this.#armed = armed;
    return true;
  }

  /** Whether it was armed. The callback may still be running. */
  cancel(): boolean {
    this.#runtime.scheduler.access(this, "write");
    const wasArmed = this.#armed !== null;
    this.#armed?.cancel();
    this.#armed = null;
    return wasArmed;
  }

  /**
   * Cancels and waits until the callback is not running; it can't start itself again meanwhile. Not from the
   * callback itself. @throws KernelError ETIMEDOUT: disarmed, but the callback still runs
   */
  async cancelSync(options?: WaitOptions): Promise<boolean> {
    const wasArmed = this.cancel();
    this.#cancelling += 1;
    try {
      await this.#idle.wait(() => this.#running === 0, options);
    } finally {
      this.#runtime.scheduler.access(this, "write");
      this.#cancelling -= 1;
    }
    return wasArmed;
  }

  async #run(): Promise<void> {
    try {
      await this.#expired();
    } catch (error) {
      this.#runtime.log("error", "timer.failed", { timer: this.name, error });
    }
    await this.#runtime.scheduler.yield("timer.done", this);
    this.#runtime.scheduler.access(this, "write");
    this.#running -= 1;
    this.#idle.wake();
  }
}
