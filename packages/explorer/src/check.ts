/** Runs a program under every schedule that a search asks for, until something fails, all is seen, or a cap is met. */
import type { Observer } from "./detect/observer.js";
import type { Failure } from "./failure.js";
import type { Program } from "./program.js";
import type { AnyTime } from "./run/controlled-scheduler.js";
import { Names } from "./run/objects.js";
import { Run, type RunResult } from "./run/run.js";
import { writeSchedule } from "./run/schedule.js";
import type { Strategy } from "./search/strategy.js";

export type Verdict = "safe" | "unsafe" | "unknown";

export interface CheckOptions {
  readonly strategy: Strategy;
  /** Fresh ones for each run. */
  readonly observers?: () => readonly Observer[];
  /** Which timers may fire at any step; default none: time passes when nothing can run. */
  readonly anyTime?: AnyTime;
  /** Default "failure": nothing in the program is meant to be ended by its deadline. */
  readonly deadlines?: "expected" | "failure";
  /** Runs at most; default 1,000,000. Met, the verdict is "unknown". */
  readonly maxRuns?: number;
  /** Steps of one run at most; default 10,000. Met, the verdict is "unknown". */
  readonly maxSteps?: number;
  /** Go on after a failure, to count and to find the shortest; default "stop". */
  readonly afterFailure?: "stop" | "go on";
  readonly progress?: (runs: number) => void;
}

export interface CheckResult {
  readonly program: string;
  readonly verdict: Verdict;
  /** Complete runs, failed ones included. */
  readonly runs: number;
  /** Runs that turned out to be redundant on the way. */
  readonly abandoned: number;
  readonly cut: number;
  readonly failed: number;
  readonly failure: (Failure & { readonly schedule: string }) | null;
  readonly steps: number;
}

/** Between two of these the event loop turns; microtasks that are used up within one mean an uncontrolled wait. */
const turnMs = 20;

export async function check(program: Program, options: CheckOptions): Promise<CheckResult> {
  const { strategy, observers = () => [], maxRuns = 1_000_000, afterFailure = "stop", progress } = options;
  const names = { objects: new Names(), tasks: new Names() };
  const counts = { complete: 0, failed: 0, abandoned: 0, cut: 0 };
  let steps = 0;
  let failure: CheckResult["failure"] = null;
  let capped: "no" | "yes" = "no";
  let last: readonly number[] = [];
  let current: Run | null = null;
  const turn = () =>
    new Promise<void>((resolve) => {
      setImmediate(() => {
        current?.reportUncontrolled();
        resolve();
      });
    });
  let turned = turn();
  let turnsAt = performance.now() + turnMs;
  for (;;) {
    const shared = strategy.nextRun();
    if (shared === null) break;
    if (counts.complete + counts.failed >= maxRuns) {
      capped = "yes";
      break;
    }
    current = new Run(
      program,
      {
        ...names,
        observers: observers(),
        anyTime: options.anyTime ?? "none",
        deadlines: options.deadlines ?? "failure",
        maxSteps: options.maxSteps ?? 10_000,
      },
      strategy,
      last.slice(0, shared),
    );
    const result: RunResult = await current.execute();
    current = null;
    last = result.choices;
    steps += result.choices.length;
    counts[result.end] += 1;
    if (result.failure !== null && (failure === null || result.failure.step < failure.step)) {
      failure = { ...result.failure, schedule: writeSchedule(result.choices) };
    }
    if (failure !== null && afterFailure === "stop") break;
    if (performance.now() >= turnsAt) {
      await turned;
      progress?.(counts.complete + counts.failed);
      turned = turn();
      turnsAt = performance.now() + turnMs;
    }
  }
  await turned;
  return {
    program: program.name,
    verdict: failure !== null ? "unsafe" : capped === "yes" || counts.cut > 0 ? "unknown" : "safe",
    runs: counts.complete + counts.failed,
    abandoned: counts.abandoned,
    cut: counts.cut,
    failed: counts.failed,
    failure,
    steps,
  };
}
