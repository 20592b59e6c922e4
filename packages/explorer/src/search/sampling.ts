import { Random } from "./random.js";
import { Search, type SearchOptions } from "./search.js";

/** What searches that draw schedules by chance share: a number of runs, each from the start. */
abstract class Sampling extends Search {
  readonly coverage = "sample";
  protected readonly random: Random;
  readonly #runs: number;

  constructor(seed: number, runs: number, options: SearchOptions) {
    super(options);
    this.random = new Random(seed);
    this.#runs = runs;
  }

  protected backtrack(): number | null {
    this.trail.cutTo(0);
    return this.statistics.runs < this.#runs ? 0 : null;
  }
}

export interface RandomWalkOptions extends SearchOptions {
  readonly seed: number;
  readonly runs: number;
}

/** At each point any task that can run, each as likely as the other. */
export class RandomWalk extends Sampling {
  constructor(options: RandomWalkOptions) {
    super(options.seed, options.runs, options);
  }

  choose(runnable: readonly number[]): number {
    return runnable[this.random.below(runnable.length)]!;
  }
}

export interface PctOptions extends SearchOptions {
  readonly seed: number;
  readonly runs: number;
  /** How many ordering constraints the fault sought may need; 3 finds most. */
  readonly depth: number;
  /** About how many steps a run has. */
  readonly steps: number;
}

/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): each run gives the tasks
 * priorities by chance and always runs the highest one, which falls below all others at `depth - 1` steps drawn by chance. With n
 * tasks a fault of that depth is found with a chance of at least 1 in n·steps^(depth-1) per run.
 */
export class Pct extends Sampling {
  readonly #depth: number;
  readonly #steps: number;
  /** Per task; a task not met yet in this run has none. */
  readonly #priority: number[] = [];
  readonly #changes: number[] = [];

  constructor(options: PctOptions) {
    super(options.seed, options.runs, options);
    this.#depth = options.depth;
    this.#steps = options.steps;
  }

  override nextRun(): number | null {
    this.#priority.length = 0;
    this.#changes.length = 0;
    for (let i = 1; i < this.#depth; i++) this.#changes.push(this.random.below(this.#steps));
    return super.nextRun();
  }

  choose(runnable: readonly number[]): number {
    const change = this.#changes.indexOf(this.trail.length);
    if (change >= 0) this.#priority[this.#highest(runnable)] = change - this.#depth;
    return this.#highest(runnable);
  }

  #highest(runnable: readonly number[]): number {
    let best = runnable[0]!;
    for (const task of runnable) {
      this.#priority[task] ??= this.random.next();
      if (this.#priority[task] > this.#priority[best]!) best = task;
    }
    return best;
  }
}
