/**
 * Makes a failing schedule short and quiet: no step that the failure does not need, and as few changes from one task to
 * another as may be. Every candidate is run; what comes out has failed in the same way.
 */
import type { Failure, FailureKind } from "./failure.js";
import type { RunResult } from "./run/run.js";
import type { Strategy } from "./search/strategy.js";
import type { Session } from "./session.js";

/** A run that failed: up to its failure. */
export interface FailingRun {
  readonly failure: Failure;
  readonly choices: readonly number[];
  /** The task of each step. */
  readonly tasks: readonly number[];
}

/** Null when it did not fail. */
export function failingRun({ failure, choices, trace, base }: RunResult): FailingRun | null {
  if (failure === null) return null;
  // After a warning the run has gone on.
  const length = Math.max(0, failure.step - base + 1);
  return {
    failure,
    choices: choices.slice(0, length),
    tasks: trace.slice(0, length).map(({ task }) => task),
  };
}

/** Whether `a` is the better one to look at: fewer steps, then fewer changes of task. */
export function shorter(a: FailingRun, b: FailingRun): boolean {
  return a.tasks.length < b.tasks.length || (a.tasks.length === b.tasks.length && changes(a) < changes(b));
}

/** @param attempts runs, at most */
export async function shrink(session: Session, found: FailingRun, attempts: number): Promise<FailingRun> {
  if (found.failure.kind === "livelock") return shrinkLivelock(session, found);
  let best = found;
  let left = attempts;
  for (;;) {
    let better: FailingRun | null = null;
    for (const candidate of candidates(best.tasks)) {
      if (left <= 0) return best;
      left -= 1;
      const run = await attempt(session, candidate, best.failure.kind);
      await session.pace.breathe();
      if (run === null || !improves(run, best)) continue;
      better = run;
      break;
    }
    if (better === null) return best;
    best = better;
  }
}

/** It needs no particular steps: it is enough to know after how many every task getting its turn leads nowhere. */
async function shrinkLivelock(session: Session, found: FailingRun): Promise<FailingRun> {
  for (let length = 0; length < found.choices.length; length = Math.max(1, length * 4)) {
    const prefix = found.choices.slice(0, length);
    const result = await session.run(firstOf, prefix, { warnings: "end the run", fairAfter: length });
    const { failure, trace } = result;
    if (failure?.kind !== "livelock") continue;
    return { failure, choices: prefix, tasks: trace.slice(0, length).map(({ task }) => task) };
  }
  return found;
}

const firstOf: Strategy = Object.freeze({
  nextRun: () => null,
  choose: (runnable: readonly number[]) => runnable[0] ?? -1,
  stepped: () => {},
  runEnded: () => {},
});

async function attempt(
  session: Session,
  tasks: readonly number[],
  kind: FailureKind,
): Promise<FailingRun | null> {
  // What is longer than the original is of no use, so a candidate that runs away is stopped soon.
  const maxSteps = tasks.length + 10;
  const run = failingRun(await session.run(new Wanted(tasks), [], { warnings: "end the run", maxSteps }));
  return run?.failure.kind === kind ? run : null;
}

function improves(run: FailingRun, best: FailingRun): boolean {
  const steps = best.tasks.length - run.tasks.length;
  const quiet = changes(best) - changes(run);
  return (steps > 0 && quiet >= 0) || (steps >= 0 && quiet > 0);
}

function changes({ tasks }: FailingRun): number {
  return tasks.filter((task, place) => place > 0 && task !== tasks[place - 1]).length;
}

/** What to try, the boldest first: without a task, without the rest of a task, without a step, blocks joined. */
function* candidates(tasks: readonly number[]): Generator<readonly number[]> {
  for (const task of new Set(tasks)) yield tasks.filter((other) => other !== task);
  const blocks = toBlocks(tasks);
  for (let at = blocks.length - 1; at >= 0; at -= 1) {
    const { task } = blocks[at] as Block;
    const later = blocks.findIndex((block, place) => place > at && block.task === task);
    if (later === -1) continue;
    yield fromBlocks(join(blocks, later, at + 1));
    yield fromBlocks(join(blocks, at, later - 1));
  }
  for (let at = blocks.length - 1; at >= 0; at -= 1)
    yield fromBlocks(blocks.filter((_, place) => place !== at));
  for (let at = tasks.length - 1; at >= 0; at -= 1) yield tasks.filter((_, place) => place !== at);
}

interface Block {
  readonly task: number;
  readonly steps: number;
}

function toBlocks(tasks: readonly number[]): readonly Block[] {
  const blocks: Block[] = [];
  for (const task of tasks) {
    const last = blocks.at(-1);
    if (last?.task === task) blocks[blocks.length - 1] = { task, steps: last.steps + 1 };
    else blocks.push({ task, steps: 1 });
  }
  return blocks;
}

function fromBlocks(blocks: readonly Block[]): readonly number[] {
  return blocks.flatMap(({ task, steps }) => new Array<number>(steps).fill(task));
}

/** Moves a block to where the other one of its task will be next to it. */
function join(blocks: readonly Block[], from: number, to: number): readonly Block[] {
  const moved = [...blocks];
  const [block] = moved.splice(from, 1);
  if (block !== undefined) moved.splice(to, 0, block);
  return moved;
}

/** Has the tasks run in a wanted order, leaves out what can't run, and then lets each run as far as it comes. */
class Wanted implements Strategy {
  readonly #tasks: readonly number[];
  #next = 0;
  #last = -1;

  constructor(tasks: readonly number[]) {
    this.#tasks = tasks;
  }

  nextRun(): null {
    return null;
  }

  choose(runnable: readonly number[]): number {
    this.#last = this.#wanted(runnable);
    return this.#last;
  }

  stepped(): void {}

  runEnded(): void {}

  #wanted(runnable: readonly number[]): number {
    while (this.#next < this.#tasks.length) {
      const task = this.#tasks[this.#next] as number;
      this.#next += 1;
      if (runnable.includes(task)) return task;
    }
    return runnable.includes(this.#last) ? this.#last : (runnable[0] as number);
  }
}
