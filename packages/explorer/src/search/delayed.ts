import { Search, type SearchOptions } from "./search.js";
import type { Coverage } from "./strategy.js";

/**
 * Every schedule that differs from one fixed one in at most so many places (Emmi, Qadeer, Rakamarić: "Delay-Bounded
 * Scheduling", POPL 2011). The fixed one lets a task go on as long as it can and then takes the next in order; a delay
 * passes over the task whose turn it is. With n steps there are about n runs for one delay and n²/2 for two, whatever the
 * number of tasks: for programs whose interleavings nobody can count.
 */
export class Delayed extends Search {
  readonly #bound: number;
  /** Per depth the runnable tasks, in the order of their turns, and which of them goes. */
  readonly #turns: number[][] = [];
  readonly #taken: number[] = [];
  /** Per depth the delays spent before it. */
  readonly #spent: number[] = [0];
  #planned = -1;
  #limited = false;

  /** @param bound delays, at least 0 */
  constructor(bound: number, options: SearchOptions = {}) {
    super(options);
    if (!Number.isInteger(bound) || bound < 0)
      throw new RangeError(`a bound of ${bound} delays: it must be a whole number, 0 or more`);
    this.#bound = bound;
  }

  /** "everything" as long as the bound kept nothing out. */
  get coverage(): Coverage {
    return this.#limited ? "bound" : "everything";
  }

  choose(runnable: readonly number[]): number {
    const depth = this.trail.length;
    let place = 0;
    if (this.#planned >= 0) {
      place = this.#planned;
      this.#planned = -1;
    } else {
      const last = depth > 0 ? (this.trail.task[depth - 1] as number) : -1;
      // From the one that went last on, then around.
      const next = Math.max(
        0,
        runnable.findIndex((task) => task >= last),
      );
      this.#turns[depth] = [...runnable.slice(next), ...runnable.slice(0, next)];
    }
    const turns = this.#turns[depth] as number[];
    this.#taken[depth] = place;
    this.#spent[depth + 1] = (this.#spent[depth] as number) + place;
    if ((this.#spent[depth] as number) + turns.length - 1 > this.#bound) this.#limited = true;
    return turns[place] as number;
  }

  protected backtrack(): number | null {
    for (let depth = this.trail.length - 1; depth >= 0; depth--) {
      const place = (this.#taken[depth] as number) + 1;
      if (place >= (this.#turns[depth] as number[]).length) continue;
      if ((this.#spent[depth] as number) + place > this.#bound) continue;
      this.#planned = place;
      this.trail.cutTo(depth);
      return depth;
    }
    return null;
  }
}
