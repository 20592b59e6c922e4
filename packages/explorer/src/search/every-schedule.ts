import { Choices } from "./choices.js";
import { Search, type SearchOptions } from "./search.js";

/**
 * Every schedule, one by one, and how many traces they are. The oracle that the other searches are held against; of use
 * only for small programs.
 */
export class EverySchedule extends Search {
  readonly coverage = "everything";
  readonly #choices = new Choices();
  /** Per depth which of its choices is the current one, as a position in the stack. */
  readonly #current: number[] = [];
  #planned = -1;

  constructor(options: SearchOptions = {}) {
    super(options, true);
  }

  /** Distinct traces so far. */
  get traces(): number {
    return this.forms.size;
  }

  choose(runnable: readonly number[]): number {
    const depth = this.trail.length;
    if (this.#planned >= 0) {
      const task = this.#planned;
      this.#planned = -1;
      return task;
    }
    this.#choices.push(runnable);
    this.#current.push(this.#choices.start(depth));
    return runnable[0]!;
  }

  protected backtrack(): number | null {
    for (let depth = this.trail.length - 1; depth >= 0; depth--) {
      const next = this.#current[depth]! + 1;
      if (next >= this.#choices.end(depth)) {
        this.#current.pop();
        this.#choices.cutTo(depth - 1);
        continue;
      }
      this.#current[depth] = next;
      this.#planned = this.#choices.task(next);
      this.trail.cutTo(depth);
      return depth;
    }
    return null;
  }
}
