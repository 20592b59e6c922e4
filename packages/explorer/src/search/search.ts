import { Dependence } from "./dependence.js";
import type { Coverage, RunEnd, SearchStatistics, Step, Strategy, Waiting } from "./strategy.js";
import { Trail } from "./trail.js";

export interface SearchOptions {
  /** The relation that says which steps may be swapped. Another one than the default is for tests. */
  readonly dependence?: Dependence;
  /** Keep the form of each complete run, to compare searches. It costs time, and memory per trace. */
  readonly remember?: boolean;
}

/** What all strategies share: the run so far, and the counting. */
export abstract class Search implements Strategy {
  abstract readonly coverage: Coverage;
  readonly statistics: SearchStatistics = {
    runs: 0,
    complete: 0,
    deadlocked: 0,
    failed: 0,
    abandoned: 0,
    cut: 0,
    steps: 0,
    maxDepth: 0,
  };
  /** Forms of the complete runs, if remembered: equal sets of forms are equal sets of traces. */
  readonly forms = new Set<number>();
  /** Forms of those that ended in a deadlock. */
  readonly deadlockedForms = new Set<number>();
  protected readonly trail: Trail;
  readonly #remember: boolean;

  constructor(options: SearchOptions = {}, remember = options.remember === true, hashes = remember) {
    this.trail = new Trail(options.dependence ?? new Dependence(), hashes);
    this.#remember = remember;
  }

  abstract choose(runnable: readonly number[]): number;
  /** How many first steps of the last run the next one keeps; null: none is left. Not called before the first run. */
  protected abstract backtrack(): number | null;

  nextRun(): number | null {
    const shared = this.statistics.runs === 0 ? 0 : this.backtrack();
    if (shared !== null) this.statistics.runs++;
    return shared;
  }

  stepped(step: Step): void {
    this.trail.push(step);
    this.statistics.steps++;
  }

  runEnded(how: RunEnd, waiting: readonly Waiting[]): void {
    const { statistics, trail } = this;
    if (trail.length > statistics.maxDepth) statistics.maxDepth = trail.length;
    if (how === "abandoned") statistics.abandoned++;
    else if (how === "cut") statistics.cut++;
    else {
      statistics.complete++;
      if (how === "failed") statistics.failed++;
      if (waiting.length > 0) statistics.deadlocked++;
      if (!this.#remember) return;
      const form = trail.form();
      this.forms.add(form);
      if (waiting.length > 0) this.deadlockedForms.add(form);
    }
  }
}
