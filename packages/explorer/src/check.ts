/** Runs a program under every schedule that a search asks for, until something fails, all is seen, or a cap is met. */
import type { Failure, FailureKind } from "./failure.js";
import { type Method, searchesFor } from "./method.js";
import type { Program } from "./program.js";
import { repeat } from "./repeat.js";
import { nothingToChoose } from "./replay.js";
import type { RunResult } from "./run/run.js";
import { writeSchedule } from "./run/schedule.js";
import type { Coverage, Strategy } from "./search/strategy.js";
import { type Rules, Session } from "./session.js";
import { type FailingRun, failingRun, shorter, shrink } from "./shrink.js";

const moreRuns = 200;
const shrinkAttempts = 300;

export type Verdict = "safe" | "unsafe" | "unknown";

export interface CheckOptions extends Rules {
  /** Default "optimal". */
  readonly method?: Method;
  /** Instead of a method. */
  readonly strategy?: Strategy;
  /** Runs at most (for each bound), redundant ones included; default 1,000,000. Met, the verdict is "unknown". */
  readonly maxRuns?: number;
  /** Go on after a failure, to count and to find the shortest; default "stop". */
  readonly afterFailure?: "stop" | "go on";
  /** Whether to look for a shorter schedule of the failure that was found; default true. */
  readonly shrink?: boolean;
  readonly progress?: (runs: number) => void;
}

/** A failure and the schedule that leads to it. */
export interface Found extends Failure {
  readonly schedule: string;
}

/** How far a bounded search came. */
export interface BoundResult {
  readonly preemptions: number;
  readonly runs: number;
  readonly failed: number;
  /** "everything": the bound kept nothing out. */
  readonly coverage: Coverage;
}

export interface CheckResult {
  readonly program: string;
  /** "safe": every trace was seen and none failed. "unknown": none failed, and not every one was seen. */
  readonly verdict: Verdict;
  /** Of the traces: what the search is sure to have seen. */
  readonly coverage: Coverage;
  /** Complete runs, failed ones included; also those before the search learned that an invariant looks further, and began anew. */
  readonly runs: number;
  /** Runs that turned out to be redundant on the way. */
  readonly abandoned: number;
  readonly cut: number;
  readonly failed: number;
  /** How many runs failed with each kind. */
  readonly kinds: Readonly<Partial<Record<FailureKind, number>>>;
  /** Of a program with `observe`: what came out, as JSON, and of how many runs. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The one with the fewest steps. It has been repeated: the schedule leads there every time. */
  readonly failure: Found | null;
  readonly steps: number;
  /** One for each bound on preemptions that was asked for. */
  readonly bounds: readonly BoundResult[];
}

/** @throws RangeError for a method that makes no sense */
export async function check(program: Program, options: CheckOptions = {}): Promise<CheckResult> {
  const { method = "optimal", strategy, maxRuns = 1_000_000, afterFailure = "stop", progress } = options;
  const { shrink: shrinks = true } = options;
  const session = new Session(program, options);
  const searches =
    strategy === undefined
      ? await searchesFor(method, () => lengthOf(session))
      : [{ start: () => strategy, preemptions: null }];
  const tally = new Tally(session);
  const bounds: BoundResult[] = [];
  let coverage: Coverage = "sample";
  for (const { start, preemptions } of searches) {
    const [begun, runs, failed] = [tally.begun, tally.runs, tally.counts.failed];
    const limits = { maxRuns: maxRuns + begun, afterFailure, progress, shrinks };
    let ended: Ended;
    do {
      const by = start();
      ended = await search(session, by, tally, limits);
      coverage = ended === "exhausted" ? (by.coverage ?? "sample") : "sample";
      // A strategy that was given can't begin anew.
    } while (ended === "learned too late" && strategy === undefined);
    if (preemptions !== null) {
      bounds.push({ preemptions, runs: tally.runs - runs, failed: tally.counts.failed - failed, coverage });
    }
    if (coverage === "everything" || (tally.failing !== null && afterFailure === "stop")) break;
  }
  const failure =
    tally.failing === null ? lockOrder(session, options) : await conclude(session, tally.failing, shrinks);
  await session.pace.settle();
  return {
    program: program.name,
    verdict: failure !== null ? "unsafe" : coverage === "everything" ? "safe" : "unknown",
    coverage,
    runs: tally.runs,
    abandoned: tally.counts.abandoned,
    cut: tally.counts.cut,
    failed: tally.counts.failed,
    kinds: tally.kinds,
    outcomes: tally.outcomes,
    failure,
    steps: tally.steps,
    bounds,
  };
}

/** Of the run in which every task gets its turn. */
async function lengthOf(session: Session): Promise<number> {
  const { choices } = await session.run(nothingToChoose, [], { warnings: "go on", fairAfter: 0 });
  return Math.max(1, choices.length);
}

/** What the runs came to so far. */
class Tally {
  readonly counts = { complete: 0, failed: 0, abandoned: 0, cut: 0 };
  readonly kinds: Partial<Record<FailureKind, number>> = {};
  readonly outcomes: Record<string, number> = {};
  steps = 0;
  failing: FailingRun | null = null;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Those included that came to nothing. */
  get begun(): number {
    return this.runs + this.counts.abandoned + this.counts.cut;
  }

  get runs(): number {
    return this.counts.complete + this.counts.failed;
  }

  add(result: RunResult): void {
    const { end, failure, choices, base, outcome } = result;
    this.#session.detectors.lockOrder.runIs(choices, base);
    this.steps += choices.length;
    this.counts[end] += 1;
    if (outcome !== null) this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    if (failure === null) return;
    this.kinds[failure.kind] = (this.kinds[failure.kind] ?? 0) + 1;
    this.compare(result);
  }

  /** Keeps the shorter one. */
  compare(result: RunResult): void {
    const run = failingRun(result);
    if (run !== null && (this.failing === null || shorter(run, this.failing))) this.failing = run;
  }

  /** Keeps the shorter one of the same kind. */
  improve(result: RunResult): void {
    const run = failingRun(result);
    if (run === null || this.failing === null || run.failure.kind !== this.failing.failure.kind) return;
    if (shorter(run, this.failing)) this.failing = run;
  }
}

/** "learned too late": it took steps for independent that are not, as `Lookouts` says. */
type Ended = "exhausted" | "ended early" | "learned too late";

type Limits = Required<Pick<CheckOptions, "maxRuns" | "afterFailure">> & {
  readonly progress: CheckOptions["progress"];
  readonly shrinks: boolean;
};

async function search(
  session: Session,
  strategy: Strategy,
  tally: Tally,
  { maxRuns, afterFailure, progress, shrinks }: Limits,
): Promise<Ended> {
  let last: readonly number[] = [];
  const { cut } = tally.counts;
  // Failing runs that come soon after the first may be shorter; they count for nothing else.
  let more = shrinks ? moreRuns : 0;
  for (;;) {
    const isOver = tally.failing !== null && afterFailure === "stop";
    if (session.lookouts.learnedTooLate() && strategy.coverage !== "sample" && !isOver)
      return "learned too late";
    const shared = strategy.nextRun();
    if (shared === null) return tally.counts.cut > cut ? "ended early" : "exhausted";
    if (tally.begun >= maxRuns) return "ended early";
    if (isOver && more === 0) return "ended early";
    const result = await session.run(strategy, last.slice(0, shared), { warnings: "go on" });
    last = result.choices;
    if (!isOver) tally.add(result);
    else {
      more -= 1;
      tally.improve(result);
    }
    if (tally.failing?.failure.kind === "uncontrolled" && afterFailure === "stop") return "ended early";
    if (await session.pace.breathe()) progress?.(tally.runs);
  }
}

/** Makes the schedule short, and makes sure that it leads to the failure. */
async function conclude(session: Session, found: FailingRun, shrinks: boolean): Promise<Found> {
  const { kind } = found.failure;
  const run = shrinks && kind !== "uncontrolled" ? await shrink(session, found, shrinkAttempts) : found;
  const schedule = writeSchedule(run.choices);
  if (kind === "uncontrolled") return { ...found.failure, schedule };
  const differs = await repeat(session, run);
  return { ...(differs ?? run.failure), schedule };
}

/** Reported only where nothing worse was found. */
function lockOrder({ detectors }: Session, { ignore }: CheckOptions): Found | null {
  const cycle = ignore?.includes("lock-order") === true ? null : detectors.lockOrder.cycle();
  const [first] = cycle ?? [];
  if (cycle === null || first === undefined) return null;
  const edges = cycle.map(
    ({ task, from, to, schedule }) =>
      `${task} takes ${to} while it holds ${from} (schedule "${writeSchedule(schedule)}")`,
  );
  return {
    kind: "lock-order",
    message: `locks are taken in opposite orders: ${edges.join("; ")}`,
    step: first.steps[1],
    clash: first.steps,
    schedule: writeSchedule(first.schedule),
  };
}
