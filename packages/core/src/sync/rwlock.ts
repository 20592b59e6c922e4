/**
 * Many readers or one writer, first come first served: a reader that comes after a waiting writer waits behind it, so
 * writers do not starve, and readers that stand together at the head enter together.
 */
import { BugError } from "../error.js";
import { deadlineOf, type Runtime, type WaitOptions } from "../runtime.js";
import type { Guard } from "./mutex.js";
import type { Blocked, Named } from "./scheduler.js";
import { timedOut } from "./wait.js";

type Mode = "read" | "write";

export class RwLock implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #waiters = new Map<Blocked, Mode>();
  #held: "free" | "write" | { readers: number } = "free";

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
  }

  /** @throws KernelError ETIMEDOUT */
  read(options?: WaitOptions): Promise<Guard> {
    return this.#lock("read", options);
  }

  /** @throws KernelError ETIMEDOUT */
  write(options?: WaitOptions): Promise<Guard> {
    return this.#lock("write", options);
  }

  /** A read guard when no writer holds the lock or waits for it, else null: for callers that must not sleep. */
  tryRead(): Guard | null {
    this.#runtime.scheduler.access(this, "write");
    return this.#waiters.size === 0 && this.#admit("read") ? this.#guard("read") : null;
  }

  async withRead<T>(fn: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return this.#with("read", fn, options);
  }

  async withWrite<T>(fn: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return this.#with("write", fn, options);
  }

  async #with<T>(mode: Mode, fn: () => T | Promise<T>, options: WaitOptions | undefined): Promise<T> {
    const guard = await this.#lock(mode, options);
    try {
      return await fn();
    } finally {
      guard[Symbol.dispose]();
      await this.#runtime.scheduler.yield("rwlock.unlocked", this);
    }
  }

  async #lock(mode: Mode, options: WaitOptions | undefined): Promise<Guard> {
    const { scheduler } = this.#runtime;
    const op = `rwlock.${mode}`;
    const deadline = deadlineOf(this.#runtime, options);
    await scheduler.yield(op, this);
    scheduler.access(this, "write");
    if (this.#waiters.size > 0 || !this.#admit(mode)) {
      const blocked = scheduler.block(op, this, deadline);
      this.#waiters.set(blocked, mode);
      const wakeup = await blocked.wakeup;
      scheduler.access(this, "write");
      if (wakeup === "timeout") {
        this.#waiters.delete(blocked);
        // A writer that gives up may have been all that kept the readers behind it out.
        this.#admitWaiting();
        throw timedOut(op, this);
      }
    }
    return this.#guard(mode);
  }

  #admit(mode: Mode): boolean {
    if (this.#held === "free") {
      this.#held = mode === "write" ? "write" : { readers: 1 };
      return true;
    }
    if (mode === "write" || this.#held === "write") return false;
    this.#held.readers += 1;
    return true;
  }

  #leave(): void {
    if (this.#held !== "free" && this.#held !== "write" && this.#held.readers > 1) this.#held.readers -= 1;
    else this.#held = "free";
  }

  #admitWaiting(): void {
    for (const [blocked, mode] of this.#waiters) {
      if (!this.#admit(mode)) return;
      this.#waiters.delete(blocked);
      if (!blocked.wake()) this.#leave();
    }
  }

  #guard(mode: Mode): Guard {
    let held = true;
    const { scheduler } = this.#runtime;
    scheduler.note(mode === "write" ? "lock" : "lock-shared", this);
    const release = () => {
      held = false;
      scheduler.access(this, "write");
      scheduler.note("unlock", this);
      this.#leave();
      this.#admitWaiting();
    };
    return {
      release: () => {
        if (!held)
          throw new BugError("lock-not-held", `${this.name}: this ${mode} guard was released before`);
        release();
      },
      [Symbol.dispose]: () => {
        if (held) release();
      },
    };
  }
}
