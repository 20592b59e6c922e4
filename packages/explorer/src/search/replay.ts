import { Search } from "./search.js";

/**
 * One run along a given schedule. Where the schedule is over, the task that has the turn keeps it as long as it can; where a
 * task can't run that should, the run is abandoned: the program is another one, or not deterministic.
 */
export class Replay extends Search {
  readonly coverage = "sample";
  readonly #schedule: readonly number[];

  /** @param schedule task numbers */
  constructor(schedule: readonly number[]) {
    super();
    this.#schedule = schedule;
  }

  choose(runnable: readonly number[]): number {
    const depth = this.trail.length;
    const next = this.#schedule[depth];
    if (next !== undefined) return runnable.includes(next) ? next : -1;
    const last = depth > 0 ? this.trail.task[depth - 1]! : -1;
    return runnable.includes(last) ? last : runnable[0]!;
  }

  protected backtrack(): null {
    return null;
  }
}
