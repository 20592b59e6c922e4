/**
 * Sleep until a condition holds. Whoever changes what the condition reads calls `wake`; the condition is looked at and
 * the task queued in one step, so a wake-up between the two cannot be lost.
 */
import { deadlineOf, type Runtime, type WaitOptions } from "../runtime.js";
import type { Blocked, Named } from "./scheduler.js";
import { parkIn, wakeAll } from "./wait.js";

export class WaitQueue implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #waiters = new Set<Blocked>();

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
  }

  /**
   * Returns once `condition` holds; it held in the same step in which this settles, but others may run before the
   * caller goes on.
   * @throws KernelError ETIMEDOUT when the deadline passes while it does not hold, and what `condition` throws
   */
  async wait(condition: () => boolean, options?: WaitOptions): Promise<void> {
    const { scheduler } = this.#runtime;
    const deadline = deadlineOf(this.#runtime, options);
    await scheduler.yield("waitqueue.wait", this);
    for (;;) {
      scheduler.access(this, "read");
      if (condition()) return;
      try {
        await parkIn(this.#waiters, this.#runtime, "waitqueue.wait", this, deadline);
      } catch (missed) {
        scheduler.access(this, "read");
        if (condition()) return;
        throw missed;
      }
    }
  }

  /** Makes every waiter look at its condition again. */
  wake(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#runtime.scheduler.note("wake", this);
    wakeAll(this.#waiters);
  }
}
