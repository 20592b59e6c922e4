/**
 * Counts who can still reach an object and says once when nobody can. The release is synchronous: what must wait
 * belongs to unbinding or removal, not to the last reference.
 */
import { BugError } from "../error.js";
import type { Runtime } from "../runtime.js";
import type { Named } from "./scheduler.js";

/** Anything whose references are counted. */
export interface Counted {
  get(): void;
  put(): void;
}

export class Refcount implements Named, Counted {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #release: () => void;
  #count = 1;

  /** Starts at one: the creator's reference. @param release called exactly once, by the last `put` */
  constructor(runtime: Runtime, name: string, release: () => void) {
    this.#runtime = runtime;
    this.name = name;
    this.#release = release;
    runtime.scheduler.note("alloc", this);
  }

  /** For diagnostics; by the time it is read it may be another. */
  get count(): number {
    this.#runtime.scheduler.access(this, "read");
    return this.#count;
  }

  /** Precondition: the caller holds a reference. @throws BugError refcount-use-after-release */
  get(): void {
    if (!this.tryGet()) {
      throw new BugError("refcount-use-after-release", `get of ${this.name} after its last put`);
    }
  }

  /** For who found the object without holding a reference. False when it is gone. */
  tryGet(): boolean {
    this.#runtime.scheduler.access(this, "write");
    if (this.#count === 0) return false;
    this.#count += 1;
    return true;
  }

  /** @throws BugError refcount-underflow when there is nothing to give back */
  put(): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#count === 0) throw new BugError("refcount-underflow", `put of ${this.name} after its last put`);
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#runtime.scheduler.note("free", this);
    this.#release();
  }
}
