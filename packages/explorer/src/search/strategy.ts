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
  /** A lock that this step took without having been able to wait for it (a try that succeeded); absent: none. */
  readonly takes?: number;
  /** A lock that this step gave back; absent: none. */
  readonly releases?: number;
  /** Whether the same step in another state may use its objects in another way (a compare-and-swap that may fail). */
  readonly varies?: boolean;
}

/**
 * What the last of these tasks would touch if they took one step each, in this order, after the first `shared` steps of
 * the run that has just ended.
 */
export type Foresee = (shared: number, tasks: readonly number[]) => readonly number[];

/** "abandoned": `choose` said so. "cut": longer than the runner allows. */
export type RunEnd = "complete" | "failed" | "abandoned" | "cut";

/** A task that has not ended and can't run. */
export interface Waiting {
  readonly task: number;
  /** The lock it waits for; -1: something else. */
  readonly acquires: number;
  /** The step that made it able to try, as in `Step`; absent or -1: it was from the start. */
  readonly enabledBy?: number;
}

/**
 * "everything": when the search is over and nothing was cut, every trace has been seen. "bound": every trace inside the
 * strategy's own bound. "sample": some.
 */
export type Coverage = "everything" | "bound" | "sample";

/** What a search has done so far. Every strategy here keeps one. */
export interface SearchStatistics {
  runs: number;
  /** Runs in which nothing could go on at the end: all tasks ended, or they block each other. Failed ones count too. */
  complete: number;
  /** Of the complete ones, how many ended with tasks that wait for ever. */
  deadlocked: number;
  failed: number;
  /** Given up because they would only repeat what was seen. */
  abandoned: number;
  cut: number;
  /** Steps told to the strategy: not the ones a run shares with the run before. */
  steps: number;
  maxDepth: number;
}

/** Task and object numbers mean the same in every run of one search. */
export interface Strategy {
  /**
   * Starts the next run. Null: the search is over. Otherwise how many first steps it shares with the run before;
   * `choose` and `stepped` are not called for those, a runner restores or repeats them by itself.
   */
  nextRun(): number | null;
  /** @param runnable task numbers, ascending, not empty, only for this call. @returns the one that goes next; -1: abandon this run */
  choose(runnable: readonly number[]): number;
  stepped(step: Step): void;
  /**
   * @param waiting tasks that have not ended and can't run. Of a complete run: not empty is a deadlock. Of an abandoned one:
   * needed of those that wait for a lock.
   */
  runEnded(how: RunEnd, waiting: readonly Waiting[]): void;
  /** What an exhausted search has seen. A strategy that does not say is taken for a sample. */
  readonly coverage?: Coverage;
  readonly statistics?: Readonly<SearchStatistics>;
  /** A runner that can look ahead without a run says so before the first one; a strategy may then avoid abandoned runs. */
  foreseeWith?(foresee: Foresee): void;
}
