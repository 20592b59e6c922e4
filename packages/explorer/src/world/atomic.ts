/** A variable that processors share without a lock. Each operation is a step by itself. */

import type { Atomic } from "../program.js";
import type { ControlledScheduler } from "../run/controlled-scheduler.js";

export class AtomicCell<T> implements Atomic<T> {
  readonly name: string;
  readonly #scheduler: ControlledScheduler;
  #value: T;

  constructor(scheduler: ControlledScheduler, name: string, initial: T) {
    this.#scheduler = scheduler;
    this.name = name;
    this.#value = initial;
  }

  async load(): Promise<T> {
    await this.#scheduler.yield("load", this);
    this.#scheduler.access(this, "read");
    return this.#value;
  }

  async store(value: T): Promise<void> {
    await this.#scheduler.yield("store", this);
    this.#scheduler.access(this, "write");
    this.#become(value);
  }

  exchange(value: T): Promise<T> {
    return this.update(() => value);
  }

  async compareAndSwap(expected: T, next: T): Promise<boolean> {
    await this.#scheduler.yield("compare and swap", this);
    const holds = this.#value === expected;
    // One that fails changes nothing.
    this.#scheduler.access(this, holds ? "write" : "read");
    if (holds) this.#become(next);
    return holds;
  }

  async update(next: (value: T) => T): Promise<T> {
    await this.#scheduler.yield("update", this);
    this.#scheduler.access(this, "write");
    const value = this.#value;
    this.#become(next(value));
    return value;
  }

  peek(): T {
    this.#scheduler.access(this, "read");
    return this.#value;
  }

  #become(value: T): void {
    this.#value = value;
    this.#scheduler.progress.became(this.name, value);
  }
}
