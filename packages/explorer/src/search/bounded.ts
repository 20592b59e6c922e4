import { Choices } from "./choices.js";
import { Search, type SearchOptions } from "./search.js";
import type { Coverage } from "./strategy.js";

/**
 * Every trace that some schedule with at most `bound` preemptions runs through; a preemption takes the turn from a task
 * that could have gone on. Nothing is left out inside the bound: two runs are only taken for the same from a point on if
 * they are the same trace so far, the same task has the turn, and no fewer preemptions are left.
 */
export class Bounded extends Search {
  readonly #bound: number;
  readonly #choices = new Choices();
  readonly #current: number[] = [];
  /** Per depth the preemptions left before the step taken there. */
  readonly #left: number[] = [];
  /** Per task that has the turn (0: none, it can't go on) and trace begun, the most preemptions that were left there. */
  readonly #seen: Map<number, number>[] = [];
  readonly #affordable: number[] = [];
  #planned = -1;
  #limited = false;

  /** @param bound preemptions, at least 0 */
  constructor(bound: number, options: SearchOptions = {}) {
    super(options, true);
    if (!Number.isInteger(bound) || bound < 0)
      throw new RangeError(`a bound of ${bound} preemptions: it must be a whole number, 0 or more`);
    this.#bound = bound;
  }

  /** "everything" as long as the bound kept nothing out. */
  get coverage(): Coverage {
    return this.#limited ? "bound" : "everything";
  }

  get traces(): number {
    return this.forms.size;
  }

  choose(runnable: readonly number[]): number {
    if (this.#planned >= 0) {
      const task = this.#planned;
      this.#planned = -1;
      return task;
    }
    const { trail } = this;
    const depth = trail.length;
    const last = depth > 0 ? trail.task[depth - 1]! : -1;
    const running = runnable.includes(last) ? last : -1;
    const left = depth === 0 ? this.#bound : this.#left[depth]!;
    if (this.#known(trail.form(), running, left)) return -1;
    const affordable = this.#affordable;
    affordable.length = 0;
    if (running >= 0) affordable.push(running);
    if (running < 0 || left > 0) for (const task of runnable) if (task !== running) affordable.push(task);
    if (affordable.length < runnable.length) this.#limited = true;
    this.#choices.push(affordable);
    this.#current[depth] = this.#choices.start(depth);
    this.#left[depth] = left;
    this.#left[depth + 1] = left;
    return affordable[0]!;
  }

  protected backtrack(): number | null {
    const { trail } = this;
    for (let depth = trail.length - 1; depth >= 0; depth--) {
      this.#choices.cutTo(depth);
      const next = this.#current[depth]! + 1;
      if (next >= this.#choices.end(depth)) continue;
      this.#current[depth] = next;
      this.#planned = this.#choices.task(next);
      // The task that has the turn comes first in its list, where it could go on; all others there preempt it.
      const first = this.#choices.task(this.#choices.start(depth));
      const preempts = depth > 0 && first === trail.task[depth - 1];
      this.#left[depth + 1] = this.#left[depth]! - (preempts ? 1 : 0);
      trail.cutTo(depth);
      return depth;
    }
    return null;
  }

  /** Whether all that could follow from here has been begun before. Notes that it is now. */
  #known(form: number, running: number, left: number): boolean {
    const seen = this.#seen[running + 1] ?? new Map<number, number>();
    this.#seen[running + 1] = seen;
    const most = seen.get(form);
    if (most !== undefined && most >= left) return true;
    seen.set(form, left);
    return false;
  }
}
