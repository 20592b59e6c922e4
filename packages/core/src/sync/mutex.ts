/**
 * A sleeping lock, first come first served. Ownership is the guard: only who got it can unlock, and a function that
 * needs the lock held asks for the guard.
 */
import { BugError } from "../error.js";
import { deadlineOf, type Runtime, type WaitOptions } from "../runtime.js";
import type { Blocked, Named } from "./scheduler.js";
import { parkIn, wakeFirst } from "./wait.js";

export interface Guard {
  /** @throws BugError lock-not-held when the lock was given back before */
  release(): void;
  /** For `using`: gives the lock back unless `release` has. */
  [Symbol.dispose](): void;
}

export class Mutex implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  /** Made for the first that has to wait: most locks never have one, and every device has a lock. */
  #waiters: Set<Blocked> | null = null;
  #owner: Guard | null = null;

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
  }

  get locked(): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#owner !== null;
  }

  /**
   * Not recursive: a task that holds the lock and asks again waits until its deadline.
   * @throws KernelError ETIMEDOUT
   */
  async lock(options?: WaitOptions): Promise<Guard> {
    const { scheduler } = this.#runtime;
    const deadline = deadlineOf(this.#runtime, options);
    await scheduler.yield("mutex.lock", this);
    return this.#take(deadline);
  }

  /** The guard when the lock is free, else null. */
  tryLock(): Guard | null {
    this.#runtime.scheduler.access(this, "write");
    return this.#owner === null ? this.#own() : null;
  }

  /** Runs `fn` with the lock held. @throws KernelError ETIMEDOUT, and what `fn` throws */
  async withLock<T>(fn: (guard: Guard) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    const { scheduler } = this.#runtime;
    const deadline = deadlineOf(this.#runtime, options);
    await scheduler.yield("mutex.lock", this);
    const taken = this.#take(deadline);
    const guard = taken instanceof Promise ? await taken : taken;
    try {
      const result = fn(guard);
      return result instanceof Promise ? await result : result;
    } finally {
      guard[Symbol.dispose]();
      await this.#runtime.scheduler.yield("mutex.unlocked", this);
    }
  }

  /** @throws BugError lock-not-held unless `guard` is what holds this lock now */
  assertHeld(guard: Guard): void {
    if (this.#owner !== guard) throw new BugError("lock-not-held", `${this.name} is not held by this guard`);
  }

  /** At once where it is free: most that lock it find it so, and a promise takes longer than what they do with it. */
  #take(deadline: number): Guard | Promise<Guard> {
    this.#runtime.scheduler.access(this, "write");
    return this.#owner === null ? this.#own() : this.#wait(deadline);
  }

  async #wait(deadline: number): Promise<Guard> {
    this.#waiters ??= new Set();
    await parkIn(this.#waiters, this.#runtime, "mutex.lock", this, deadline);
    this.#runtime.scheduler.access(this, "write");
    return this.#own();
  }

  #own(): Guard {
    const guard: Guard = {
      release: () => {
        this.assertHeld(guard);
        this.#unlock();
      },
      [Symbol.dispose]: () => {
        if (this.#owner === guard) this.#unlock();
      },
    };
    this.#owner = guard;
    this.#runtime.scheduler.note("lock", this);
    return guard;
  }

  #unlock(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#runtime.scheduler.note("unlock", this);
    // Handed over, not freed: nobody who comes in before the waiter runs may overtake it.
    this.#owner = this.#waiters !== null && wakeFirst(this.#waiters) ? handedOver : null;
    if (this.#waiters?.size === 0) this.#waiters = null;
  }
}

const handedOver: Guard = Object.freeze({ release() {}, [Symbol.dispose]() {} });
