import type { Strategy } from "../search/strategy.js";
import type { CellsProgram } from "./define.js";
import { CellMachine } from "./machine.js";

export interface ExploreCellsOptions {
  /** Ends the search with the verdict "unknown"; no limit unless given. */
  readonly maxRuns?: number;
  /** Cuts a run that is longer, and so the verdict "safe". 10,000 unless given. */
  readonly maxSteps?: number;
  /** Go on after the first failure or not; the search stops there unless given. */
  readonly afterFailure?: "stop" | "go on";
  /** Told of the cells and locks at the end of each complete run. */
  readonly observe?: (shared: readonly number[], deadlocked: boolean) => void;
}

export interface Counterexample {
  /** Task numbers, up to and including the step that failed. */
  readonly schedule: readonly number[];
  readonly message: string;
}

export interface CellsReport {
  /**
   * Complete runs that are not the same trace: what is left when neighbouring steps that don't depend on each other may be
   * swapped. For a strategy that samples, complete runs.
   */
  readonly traces: number;
  /** Of these, how many end with tasks that wait for ever. */
  readonly deadlocked: number;
  /** Runs given up because they repeat others. */
  readonly abandoned: number;
  readonly runs: number;
  readonly steps: number;
  readonly maxDepth: number;
  /** "safe" only if every trace was seen to its end; "unknown" if something was left out and nothing failed. */
  readonly verdict: "safe" | "unsafe" | "unknown";
  readonly counterexample?: Counterexample;
}

/** What strategies that compare traces by themselves know more exactly than the count of runs. */
interface Distinct {
  readonly traces?: number;
  readonly forms?: ReadonlySet<number>;
  readonly deadlockedForms?: ReadonlySet<number>;
}

/** Searches a program of cells. Synchronous; takes as long as there are traces. */
export function exploreCells(
  program: CellsProgram,
  strategy: Strategy & Distinct,
  options: ExploreCellsOptions = {},
): CellsReport {
  const { maxRuns = Number.POSITIVE_INFINITY, maxSteps = 10_000, afterFailure = "stop", observe } = options;
  const machine = new CellMachine(program);
  /** Per depth of the run, the state there. */
  const states = [machine.initial()];
  const ahead = new Int32Array(machine.size);
  const schedule: number[] = [];
  const runnable: number[] = [];
  let runs = 0;
  let complete = 0;
  let deadlocked = 0;
  let abandoned = 0;
  let cut = 0;
  let steps = 0;
  let maxDepth = 0;
  let counterexample: Counterexample | undefined;
  let stopped = false;

  strategy.foreseeWith?.((shared, tasks) => {
    ahead.set(states[shared]!);
    let footprint: readonly number[] = [];
    for (const [i, task] of tasks.entries()) footprint = machine.step(ahead, task, shared + i).footprint;
    return footprint;
  });

  while (!stopped) {
    const shared = strategy.nextRun();
    if (shared === null) break;
    if (runs === maxRuns) {
      stopped = true;
      break;
    }
    runs++;
    let depth = shared;
    for (;;) {
      const state = states[depth]!;
      machine.runnable(state, runnable);
      if (runnable.length === 0) {
        complete++;
        const waiting = machine.waiting(state);
        if (waiting.length > 0) deadlocked++;
        observe?.(machine.shared(state), waiting.length > 0);
        const failure = machine.failure(state);
        strategy.runEnded(failure === undefined ? "complete" : "failed", waiting);
        if (failure !== undefined) {
          counterexample ??= { schedule: schedule.slice(0, failure.step + 1), message: failure.message };
          if (afterFailure === "stop") stopped = true;
        }
        break;
      }
      if (depth >= maxSteps) {
        cut++;
        strategy.runEnded("cut", []);
        break;
      }
      const task = strategy.choose(runnable);
      if (task < 0) {
        abandoned++;
        strategy.runEnded("abandoned", machine.waiting(state));
        break;
      }
      const next = states[depth + 1] ?? new Int32Array(machine.size);
      states[depth + 1] = next;
      next.set(state);
      const step = machine.step(next, task, depth);
      schedule[depth] = task;
      depth++;
      steps++;
      strategy.stepped(step);
    }
    if (depth > maxDepth) maxDepth = depth;
  }
  const whole = !stopped && cut === 0 && strategy.coverage === "everything";
  return {
    traces: strategy.traces ?? complete,
    deadlocked:
      strategy.deadlockedForms !== undefined && strategy.deadlockedForms.size > 0
        ? strategy.deadlockedForms.size
        : deadlocked,
    abandoned,
    runs,
    steps,
    maxDepth,
    verdict: counterexample !== undefined ? "unsafe" : whole ? "safe" : "unknown",
    ...(counterexample === undefined ? {} : { counterexample }),
  };
}
