/**
 * Does a program declare all that its tasks share? Two neighbouring steps that have nothing to do with each other, as far
 * as was declared, can be swapped and nothing may change. What changes all the same gives the undeclared away: a search
 * that trusts the declarations would have left out orders that matter.
 */
import type { Program } from "./program.js";
import { Recorder } from "./report/recorder.js";
import type { RecordedStep } from "./report/recording.js";
import type { RunResult, TracedStep } from "./run/run.js";
import { writeSchedule } from "./run/schedule.js";
import { Random } from "./search/random.js";
import { RandomWalk } from "./search/sampling.js";
import type { Strategy } from "./search/strategy.js";
import { type Rules, Session } from "./session.js";

export interface AuditOptions extends Rules {
  /** Swaps to try; default 300. Fewer are tried where there are fewer. */
  readonly pairs?: number;
  /** Default 1. */
  readonly seed?: number;
}

export interface Undeclared {
  readonly kind: "uncontrolled";
  readonly message: string;
  /** Of the run before the swap: step numbers of the pair, among those of the tasks. */
  readonly steps: readonly [number, number];
  readonly schedule: string;
}

export interface AuditResult {
  readonly program: string;
  /** Swaps that were tried. */
  readonly pairs: number;
  readonly undeclared: Undeclared | null;
}

/** Tries swaps in random runs until one changes something. The same seed tries the same swaps. */
export async function audit(program: Program, options: AuditOptions = {}): Promise<AuditResult> {
  const { pairs = 300, seed = 1 } = options;
  const session = new Session(program, options);
  const random = new Random(seed);
  const walk = new RandomWalk({ seed, runs: pairs });
  let tried = 0;
  let undeclared: Undeclared | null = null;
  while (tried < pairs && undeclared === null && walk.nextRun() !== null) {
    const original = await record(session, walk);
    if (original.result.end !== "complete") continue;
    for (const at of sample(swappable(original.result.trace), swapsPerRun, random)) {
      if (tried >= pairs) break;
      tried += 1;
      const order = original.result.trace.map(({ task }) => task);
      const [first, second] = [order[at] as number, order[at + 1] as number];
      order.splice(at, 2, second, first);
      const swapped = await record(session, new Ordered(order));
      const difference = compare(original, swapped, at);
      await session.pace.breathe();
      if (difference === null) continue;
      undeclared = {
        kind: "uncontrolled",
        message:
          `undeclared shared state between ${nameOf(original, at)} and ${nameOf(original, at + 1)}: with the two ` +
          `swapped, ${difference}; declare what both use with world.reads and world.writes, or keep it in world.share`,
        steps: [at, at + 1],
        schedule: writeSchedule(original.result.choices),
      };
      break;
    }
  }
  await session.pace.settle();
  return { program: program.name, pairs: tried, undeclared };
}

const swapsPerRun = 4;

interface Recorded {
  readonly result: RunResult;
  readonly recorder: Recorder;
}

async function record(session: Session, strategy: Strategy): Promise<Recorded> {
  const recorder = new Recorder(100_000);
  return { result: await session.run(strategy, [], { warnings: "go on", observers: [recorder] }), recorder };
}

/** Places of steps that, as far as was declared, have nothing to do with the next one. */
function swappable(trace: readonly TracedStep[]): readonly number[] {
  return trace.flatMap((step, at) => {
    const next = trace[at + 1];
    if (next === undefined || next.task === step.task || next.enabledBy === at) return [];
    // Time that passed comes after all that went before.
    return next.enabledBy < -1 || clash(step.footprint, next.footprint) ? [] : [at];
  });
}

function clash(a: readonly number[], b: readonly number[]): boolean {
  return a.some((use) => b.some((other) => use >> 1 === other >> 1 && ((use | other) & 1) === 1));
}

function sample(places: readonly number[], count: number, random: Random): readonly number[] {
  const left = [...places];
  const chosen: number[] = [];
  while (chosen.length < count && left.length > 0) chosen.push(...left.splice(random.below(left.length), 1));
  return chosen;
}

/** What differs beyond the order of the two steps; null: nothing. */
function compare(one: Recorded, other: Recorded, at: number): string | null {
  if (other.result.end === "abandoned") return `the run can't go on in the same order after step ${at}`;
  const { failure } = other.result;
  if (failure !== null) return `the run fails with ${failure.kind}: ${failure.message}`;
  const { base } = one.result;
  const [before, after] = [lines(one.recorder), lines(other.recorder)];
  const [first, second] = [base + at, base + at + 1];
  for (let step = 0; step < Math.max(before.length, after.length); step += 1) {
    const same = step === first ? second : step === second ? first : step;
    if (before[step] !== after[same]) {
      return `step ${step} is "${before[step] ?? "not there"}" in one run and "${after[same] ?? "not there"}" in the other`;
    }
  }
  return one.result.outcome === other.result.outcome
    ? null
    : `the outcome is ${one.result.outcome} in one run and ${other.result.outcome} in the other`;
}

/** All that a step did, with the names of tasks for their numbers: those depend on who was started first. */
function lines({ steps, tasks }: Recorder): readonly string[] {
  const names = (places: readonly number[]) => places.map((place) => tasks[place]?.name ?? "?").sort();
  return steps.map((step: RecordedStep) => {
    const uses = step.accesses.map(({ object, mode }) => `${mode} ${object}`);
    const notes = step.notes.map(({ note, object }) => `${note} ${object}`);
    const others = [
      ...names(step.starts).map((name) => `start ${name}`),
      ...names(step.wakes).map((name) => `wake ${name}`),
    ];
    const did = [...uses, ...notes, ...others, ...step.log, step.ending, step.next].join(", ");
    return `${tasks[step.task]?.name ?? "?"} at ${step.op} ${step.on}: ${did}`;
  });
}

function nameOf({ result, recorder }: Recorded, at: number): string {
  const step = recorder.steps[result.base + at];
  if (step === undefined) return `step ${at}`;
  return `step ${result.base + at} (${recorder.tasks[step.task]?.name ?? "?"} at ${step.op} of ${step.on})`;
}

/** The tasks in a given order, or not at all. */
class Ordered implements Strategy {
  readonly #order: readonly number[];
  #step = 0;

  constructor(order: readonly number[]) {
    this.#order = order;
  }

  nextRun(): null {
    return null;
  }

  choose(runnable: readonly number[]): number {
    const task = this.#order[this.#step] ?? -1;
    this.#step += 1;
    return runnable.includes(task) ? task : -1;
  }

  stepped(): void {}

  runEnded(): void {}
}
