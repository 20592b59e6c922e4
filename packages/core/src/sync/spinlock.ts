/**
 * A lock for what must not sleep: an interrupt handler can take it, and who holds it must not sleep. One processor spins
 * until the other lets go; here that is a wait like any other, told apart by its name.
 *
 * On one event loop a section without an await needs no lock. This one is for models of code that runs on several processors.
 */
import { BugError } from "../error.js";
import { deadlineOf, type Runtime, type WaitOptions } from "../runtime.js";
import type { Guard } from "./mutex.js";
import type { Blocked, Named } from "./scheduler.js";
import { parkIn, wakeFirst } from "./wait.js";

export class SpinLock implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #waiters = new Set<Blocked>();
  #state: "free" | "held" | "handed over" = "free";

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
  }

  get locked(): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#state !== "free";
  }

  /** Not recursive. First come first served. @throws KernelError ETIMEDOUT */
  async lock(options?: WaitOptions): Promise<Guard> {
    const { scheduler } = this.#runtime;
    const deadline = deadlineOf(this.#runtime, options);
    await scheduler.yield("spinlock.lock", this);
    return this.#take(deadline);
  }

  /** The guard when the lock is free, else null. */
  tryLock(): Guard | null {
    this.#runtime.scheduler.access(this, "write");
    return this.#state === "free" ? this.#own() : null;
  }

  /** Runs `fn` with the lock held: it must not sleep. @throws KernelError ETIMEDOUT, and what `fn` throws */
  async withLock<T>(fn: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    const { scheduler } = this.#runtime;
    const deadline = deadlineOf(this.#runtime, options);
    await scheduler.yield("spinlock.lock", this);
    const taken = this.#take(deadline);
    const guard = taken instanceof Promise ? await taken : taken;
    try {
      const result = fn();
      return result instanceof Promise ? await result : result;
    } finally {
      guard[Symbol.dispose]();
      await this.#runtime.scheduler.yield("spinlock.unlocked", this);
    }
  }

  /** At once where it is free: most that lock it find it so, and a promise takes longer than what they do with it. */
  #take(deadline: number): Guard | Promise<Guard> {
    this.#runtime.scheduler.access(this, "write");
    return this.#state === "free" ? this.#own() : this.#wait(deadline);
  }

  async #wait(deadline: number): Promise<Guard> {
    await parkIn(this.#waiters, this.#runtime, "spinlock.lock", this, deadline);
    this.#runtime.scheduler.access(this, "write");
    return this.#own();
  }

  #own(): Guard {
    const { scheduler } = this.#runtime;
    let guard: "holds" | "released" = "holds";
    this.#state = "held";
    scheduler.note("lock", this);
    scheduler.note("atomic", this);
    const release = () => {
      guard = "released";
      scheduler.access(this, "write");
      scheduler.note("sleepable", this);
      scheduler.note("unlock", this);
      this.#state = wakeFirst(this.#waiters) ? "handed over" : "free";
    };
    return {
      release: () => {
        if (guard === "released") throw new BugError("lock-not-held", `${this.name} was released before`);
        release();
      },
      [Symbol.dispose]: () => {
        if (guard === "holds") release();
      },
    };
  }
}
