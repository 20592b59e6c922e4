/** What the runs of one search have in common: the program, its rules, and numbers for tasks and objects. */
import { Detectors } from "./detect/detectors.js";
import type { Observer } from "./detect/observer.js";
import type { FailureKind } from "./failure.js";
import type { Program } from "./program.js";
import type { AnyTime } from "./run/controlled-scheduler.js";
import { Footprint } from "./run/footprint.js";
import { Lookouts } from "./run/lookouts.js";
import { Names } from "./run/objects.js";
import { Pace } from "./run/pace.js";
import { Run, type RunOptions, type RunResult } from "./run/run.js";
import type { Strategy } from "./search/strategy.js";

/** The rules under which a program runs. A schedule means the same only under the same rules. */
export interface Rules {
  /** What is not looked for. */
  readonly ignore?: readonly FailureKind[];
  /** Fresh ones for each run, besides the detectors. */
  readonly observers?: () => readonly Observer[];
  /** Which timers may fire at any step; default none: time passes when nothing can run. */
  readonly anyTime?: AnyTime;
  /** Default "failure": nothing in the program is meant to be ended by its deadline. */
  readonly deadlines?: "expected" | "failure";
  /** Steps of one run at most; default 10,000. A run that meets it goes on for as long, fairly, to see whether it ends. */
  readonly maxSteps?: number;
}

/** How one run is done. */
export interface Manner extends Pick<RunOptions, "warnings" | "fairAfter"> {
  /** Of this run alone. */
  readonly observers?: readonly Observer[];
  /** Instead of what the rules say. */
  readonly maxSteps?: number;
}

export class Session {
  readonly program: Program;
  readonly objects = new Names();
  readonly tasks = new Names();
  readonly detectors = new Detectors();
  readonly pace = new Pace();
  readonly #footprint = new Footprint();
  readonly lookouts = new Lookouts(this.objects);
  readonly #rules: Rules;
  readonly #ignored: ReadonlySet<FailureKind>;

  constructor(program: Program, rules: Rules) {
    this.program = program;
    this.#rules = rules;
    this.#ignored = new Set(rules.ignore);
  }

  /** @param prefix choices that are made already */
  run(strategy: Strategy, prefix: readonly number[], manner: Manner): Promise<RunResult> {
    const rules = this.#rules;
    const { observers = [], maxSteps = rules.maxSteps ?? 10_000, ...rest } = manner;
    const options: RunOptions = {
      objects: this.objects,
      tasks: this.tasks,
      footprint: this.#footprint,
      observers: [this.detectors, ...(rules.observers?.() ?? []), ...observers],
      lookouts: this.lookouts,
      anyTime: rules.anyTime ?? "none",
      deadlines: rules.deadlines ?? "failure",
      ignored: this.#ignored,
      maxSteps,
      ...rest,
    };
    return this.pace.during(new Run(this.program, options, strategy, prefix));
  }
}
