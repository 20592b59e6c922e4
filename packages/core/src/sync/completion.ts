/**
 * Something that happens: one task waits for it, another says that it has. `complete` lets one waiter through (now or
 * later), `completeAll` everybody for ever, `fail` everybody with an error.
 */
import { deadlineOf, type Runtime, type WaitOptions } from "../runtime.js";
import type { Blocked, Named } from "./scheduler.js";
import { parkIn, wakeAll, wakeFirst } from "./wait.js";

type Outcome<T> =
  | { readonly kind: "all"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown };

export class Completion<T = void> implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #waiters = new Set<Blocked>();
  /** Values that `complete` gave and nobody has taken. */
  readonly #banked: T[] = [];
  #final: Outcome<T> | null = null;

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
  }

  /** Whether a wait would return at once. */
  get done(): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#final !== null || this.#banked.length > 0;
  }

  /** Lets one waiter through. Without effect after `completeAll` or `fail`. */
  complete(value: T): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#final !== null) return;
    this.#runtime.scheduler.note("wake", this);
    this.#banked.push(value);
    wakeFirst(this.#waiters);
  }

  /** Lets all waiters through, those to come included. The first of `completeAll` and `fail` counts. */
  completeAll(value: T): void {
    this.#finish({ kind: "all", value });
  }

  /** Makes all waits reject with `error`, those to come included. The first of `completeAll` and `fail` counts. */
  fail(error: unknown): void {
    this.#finish({ kind: "failed", error });
  }

  /** @throws KernelError ETIMEDOUT, or the error given to `fail` */
  async wait(options?: WaitOptions): Promise<T> {
    const { scheduler } = this.#runtime;
    const deadline = deadlineOf(this.#runtime, options);
    await scheduler.yield("completion.wait", this);
    for (;;) {
      scheduler.access(this, "write");
      if (this.#final?.kind === "failed") throw this.#final.error;
      if (this.#banked.length > 0) return this.#banked.shift() as T;
      if (this.#final !== null) return this.#final.value;
      await parkIn(this.#waiters, this.#runtime, "completion.wait", this, deadline);
    }
  }

  #finish(outcome: Outcome<T>): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#final !== null) return;
    this.#runtime.scheduler.note("wake", this);
    this.#final = outcome;
    wakeAll(this.#waiters);
  }
}
