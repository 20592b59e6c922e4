/**
 * How a search decides which task goes next. A strategy knows no program: it sees task numbers and footprints, so the
 * same one drives programs on atomic cells and asynchronous code that ships.
 */

/** What one task did from one point to the next. */
export interface Step {
  readonly task: number;
  /** Objects used, as `object * 2 + (1 if written)`; each object once, a write hides its reads. */
  readonly footprint: readonly number[];
  /**
   * Index in this run of the step that made the task able to run (it started or woke it); -1: it was from the start;
   * -2: it could run only because nothing else could, so every step before it comes before it, in any order of them.
   */
  readonly enabledBy: number;
  /** The lock this step takes and for which the task could not have run while it was held; -1: none. */
  readonly acquires: number;
}

/** "abandoned": `choose` said so. "cut": longer than the runner allows. */
export type RunEnd = "complete" | "failed" | "abandoned" | "cut";

/** A task that has not ended and can't run. */
export interface Waiting {
  readonly task: number;
  /** The lock it waits for; -1: something else. */
  readonly acquires: number;
}

/** Task and object numbers mean the same in every run of one search. */
export interface Strategy {
  /**
   * Starts the next run. Null: the search is over. Otherwise how many first steps it shares with the run before;
   * `choose` and `stepped` are not called for those, a runner restores or repeats them by itself.
   */
  nextRun(): number | null;
  /** @param runnable task numbers, ascending, not empty. @returns the one that goes next; -1: abandon this run */
  choose(runnable: readonly number[]): number;
  stepped(step: Step): void;
  /** @param waiting empty unless the run ended in a deadlock */
  runEnded(how: RunEnd, waiting: readonly Waiting[]): void;
}
