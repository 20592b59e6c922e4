/**
 * Runs work later, one at a time, in the order queued. A work item that is queued already is not queued twice; one
 * that is running can be queued again and then runs once more.
 */
import type { Runtime, WaitOptions } from "../runtime.js";
import type { Named } from "./scheduler.js";
import { WaitQueue } from "./wait-queue.js";

/** A piece of work. The object is its identity. */
export interface Work extends Named {
  /** A rejection is logged as `work.failed`; the queue goes on. */
  run(): void | Promise<void>;
}

export class WorkQueue implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  /** In the order queued; the number says when. */
  readonly #pending = new Map<Work, number>();
  /** Work that is being cancelled, with how many are at it: queueing it is refused meanwhile. */
  readonly #cancelling = new Map<Work, number>();
  readonly #changed: WaitQueue;
  #running: { readonly work: Work; readonly sequence: number } | null = null;
  #state: "idle" | "busy" | "destroyed" = "idle";
  #sequence = 0;

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
    this.#changed = new WaitQueue(runtime, `${name} progress`);
  }

  /** False when it is queued already, is being cancelled, or the queue is destroyed. */
  queue(work: Work): boolean {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "destroyed" || this.#pending.has(work) || this.#cancelling.has(work)) return false;
    this.#sequence += 1;
    this.#pending.set(work, this.#sequence);
    if (this.#state === "idle") {
      this.#state = "busy";
      this.#runtime.scheduler.spawn(`workqueue ${this.name}`, () => this.#drain());
    }
    return true;
  }

  /** Waits until everything that was queued before the call has run or was cancelled. @throws KernelError ETIMEDOUT */
  async flush(options?: WaitOptions): Promise<void> {
    this.#runtime.scheduler.access(this, "read");
    const last = this.#sequence;
    await this.#changed.wait(() => this.#oldest() > last, options);
  }

  /**
   * Takes the work off the queue and, if it is running, waits for its end; it can't queue itself again meanwhile.
   * From inside the work itself this waits for ever, that is, until its deadline.
   * @returns whether it was queued
   * @throws KernelError ETIMEDOUT: it is off the queue but still running
   */
  async cancelSync(work: Work, options?: WaitOptions): Promise<boolean> {
    this.#runtime.scheduler.access(this, "write");
    const wasPending = this.#pending.delete(work);
    if (wasPending) this.#changed.wake();
    this.#cancelling.set(work, (this.#cancelling.get(work) ?? 0) + 1);
    try {
      await this.#changed.wait(() => this.#running?.work !== work, options);
    } finally {
      this.#runtime.scheduler.access(this, "write");
      const others = (this.#cancelling.get(work) ?? 1) - 1;
      if (others === 0) this.#cancelling.delete(work);
      else this.#cancelling.set(work, others);
    }
    return wasPending;
  }

  /** Refuses new work, drops what has not started, and waits for what runs. @throws KernelError ETIMEDOUT */
  async destroy(options?: WaitOptions): Promise<void> {
    this.#runtime.scheduler.access(this, "write");
    this.#state = "destroyed";
    this.#pending.clear();
    this.#changed.wake();
    await this.#changed.wait(() => this.#running === null, options);
  }

  async #drain(): Promise<void> {
    const { scheduler } = this.#runtime;
    for (;;) {
      await scheduler.yield("workqueue.next", this);
      scheduler.access(this, "write");
      const [next] = this.#pending;
      if (next === undefined) {
        if (this.#state === "busy") this.#state = "idle";
        return;
      }
      const [work, sequence] = next;
      this.#pending.delete(work);
      this.#running = { work, sequence };
      try {
        await work.run();
      } catch (error) {
        this.#runtime.log("error", "work.failed", { queue: this.name, work: work.name, error });
      }
      await scheduler.yield("workqueue.done", this);
      scheduler.access(this, "write");
      this.#running = null;
      this.#changed.wake();
    }
  }

  /** When the oldest work that has not finished was queued; Infinity when there is none. */
  #oldest(): number {
    if (this.#running !== null) return this.#running.sequence;
    for (const sequence of this.#pending.values()) return sequence;
    return Number.POSITIVE_INFINITY;
  }
}
