/** A lifecycle as a table: the states, and from each the ones that may follow. Any other move is a bug, at once. */
import { BugError } from "./error.js";
import type { Runtime } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

export type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>;

export class StateMachine<S extends string> implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #transitions: Transitions<S>;
  #state: S;

  constructor(runtime: Runtime, name: string, transitions: Transitions<S>, initial: S) {
    this.#runtime = runtime;
    this.name = name;
    this.#transitions = transitions;
    this.#state = initial;
  }

  get state(): S {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  /** @throws BugError illegal-transition */
  moveTo(next: S): void {
    this.#runtime.scheduler.access(this, "write");
    if (!this.#transitions[this.#state].includes(next)) {
      throw new BugError("illegal-transition", `${this.name}: ${this.#state} → ${next}`);
    }
    this.#state = next;
  }
}
