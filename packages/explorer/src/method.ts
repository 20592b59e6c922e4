/** Which interleavings a check looks at, by name. */
import { Bounded } from "./search/bounded.js";
import { Delayed } from "./search/delayed.js";
import { EverySchedule } from "./search/every-schedule.js";
import { OptimalDpor } from "./search/optimal-dpor.js";
import { Pct, RandomWalk } from "./search/sampling.js";
import { SleepSets } from "./search/sleep-sets.js";
import { SourceDpor } from "./search/source-dpor.js";
import type { Strategy } from "./search/strategy.js";

export type NamedMethod =
  /** One run for each way in which steps that depend on each other can be ordered. */
  | "optimal"
  /** The same with some runs given up half-way; less to keep in mind. */
  | "source"
  | "sleep sets"
  /** Every order of all steps: to compare with. */
  | "every";

export type Method =
  | NamedMethod
  /** At most so many times the turn is taken from a task that could go on. A list: one after the other. */
  | { readonly preemptions: number | readonly number[] }
  /**
   * At most so many departures from one fixed schedule: about n runs of n steps for 1, n²/2 for 2, however many tasks
   * there are. For programs of which nothing else can be exhausted.
   */
  | { readonly delays: number }
  /** Random priorities with `depth` - 1 random changes; finds a fault of that depth with a known chance (PCT). */
  | {
      readonly pct: {
        readonly depth: number;
        readonly runs: number;
        readonly seed: number;
        /** About how many steps a run has; default: as many as one run that is done to see. */
        readonly steps?: number;
      };
    }
  | { readonly random: { readonly runs: number; readonly seed: number } };

export interface Search {
  /** A fresh one, to begin with or to begin anew. */
  readonly start: () => Strategy;
  /** Null: not bounded. */
  readonly preemptions: number | null;
}

/**
 * The searches to be done one after the other. @param measure the number of steps of some run, where that is needed
 * @throws RangeError a bound that is no whole number, or below 0
 */
export async function searchesFor(
  method: Method,
  measure: () => Promise<number>,
): Promise<readonly Search[]> {
  if (typeof method === "string") return [{ start: () => named(method), preemptions: null }];
  if ("preemptions" in method) {
    return [method.preemptions]
      .flat()
      .map((preemptions) => ({ start: () => new Bounded(preemptions), preemptions }));
  }
  if ("delays" in method) return [{ start: () => new Delayed(method.delays), preemptions: null }];
  if ("random" in method) return [{ start: () => new RandomWalk({ ...method.random }), preemptions: null }];
  const { pct } = method;
  const steps = pct.steps ?? (await measure());
  return [{ start: () => new Pct({ ...pct, steps }), preemptions: null }];
}

function named(method: NamedMethod): Strategy {
  switch (method) {
    case "optimal":
      return new OptimalDpor();
    case "source":
      return new SourceDpor();
    case "sleep sets":
      return new SleepSets();
    case "every":
      return new EverySchedule();
  }
}
