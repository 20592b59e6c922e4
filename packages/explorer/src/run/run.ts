/** One run of a program under one schedule: set-up, the part before, the tasks, the part after, and what is left. */
import { BugError, createRuntime, type Ids, type LogRecord, type Runtime } from "parhelion-core";
import type { Observer } from "../detect/observer.js";
import type { Failure, FailureKind } from "../failure.js";
import type { Program } from "../program.js";
import type { RunEnd, Strategy } from "../search/strategy.js";
import { ProgramWorld } from "../world/world.js";
import { type AnyTime, ControlledScheduler, type Director } from "./controlled-scheduler.js";
import type { Footprint } from "./footprint.js";
import type { Lookouts } from "./lookouts.js";
import type { Names } from "./objects.js";
import type { Task } from "./task.js";
import { Turns } from "./turns.js";

export interface RunOptions {
  readonly objects: Names;
  readonly tasks: Names;
  readonly footprint: Footprint;
  readonly observers: readonly Observer[];
  readonly anyTime: AnyTime;
  /** Whether a wait that ends by its deadline is part of what the program does, or a wait that nobody ended. */
  readonly deadlines: "expected" | "failure";
  readonly ignored: ReadonlySet<FailureKind>;
  /** Of all runs of the search. */
  readonly lookouts: Lookouts;
  /** What a warning does: a race is told apart from what follows from it by going on. */
  readonly warnings: "go on" | "end the run";
  /** Steps of the tasks, at most. Then as many more in which every task gets its turn: does the run end by itself? */
  readonly maxSteps: number;
  /** When the turns begin instead, in steps. */
  readonly fairAfter?: number;
}

export interface RunResult {
  readonly end: RunEnd;
  readonly failure: Failure | null;
  /** At each step the place of the chosen task among the runnable ones. */
  readonly choices: readonly number[];
  /** What each of them was. */
  readonly trace: readonly TracedStep[];
  /** Index of the first step of the tasks; those before are of `before`. */
  readonly base: number;
  /** Null unless the prefix asks for a task that can't run: how. */
  readonly misfit: string | null;
  /** What the program's `observe` said, as JSON; null when it has none, or the run did not come to it. */
  readonly outcome: string | null;
}

export interface TracedStep {
  readonly task: number;
  readonly footprint: readonly number[];
  /** Index among these of the step that made the task able to run; below 0: none of these. */
  readonly enabledBy: number;
}

const fewSteps = 200;

/** Runs the program once. `prefix`: the choices that are made already, not asked of the strategy nor told to it. */
export class Run {
  readonly #program: Program;
  readonly #options: RunOptions;
  readonly #strategy: Strategy;
  readonly #prefix: readonly number[];
  readonly #scheduler: ControlledScheduler;
  readonly #world: ProgramWorld;
  readonly #choices: number[] = [];
  readonly #trace: TracedStep[] = [];
  readonly #runnable: number[] = [];
  #misfit: string | null = null;
  #outcome: string | null = null;
  #shared: unknown;
  #base = 0;
  #end: RunEnd = "complete";
  #turns: "chosen" | "fair" = "chosen";

  constructor(program: Program, options: RunOptions, strategy: Strategy, prefix: readonly number[]) {
    this.#program = program;
    this.#options = options;
    this.#strategy = strategy;
    this.#prefix = prefix;
    const { objects, tasks, footprint, observers, ignored } = options;
    this.#scheduler = new ControlledScheduler(objects, tasks, footprint, observers, options, ignored);
    const log: LogRecord[] = [];
    this.#world = new ProgramWorld(
      this.#scheduler,
      createControlledRuntime(this.#scheduler, observers, log),
      log,
    );
  }

  /** The microtasks are used up though the run is not over. */
  reportUncontrolled(): void {
    this.#scheduler.reportUncontrolled();
  }

  async execute(): Promise<RunResult> {
    const scheduler = this.#scheduler;
    const program = this.#program;
    const { observers } = this.#options;
    for (const observer of observers) observer.runBegan?.(scheduler);
    try {
      this.#shared = program.setup(this.#world);
      if (this.#shared instanceof Promise) {
        this.#shared.catch(() => {});
        throw new TypeError("it must not be async: what takes time belongs into before");
      }
    } catch (error) {
      scheduler.fail({ kind: "exception", message: `setup: ${String(error)}` });
    }
    const { before, after } = program;
    if (before !== undefined)
      await this.#alone("before", () => before.call(program, this.#shared, this.#world));
    let waiting: readonly Task[] = [];
    if (scheduler.failure === null) {
      this.#base = scheduler.step + 1;
      scheduler.phase = "tasks";
      this.#world.startTasks();
      await scheduler.run(this.#explore());
      if (this.#end === "complete" && scheduler.failure === null) {
        waiting = scheduler.tasks.filter(({ role, state }) => role === "program" && state !== "ended");
        if (waiting.length > 0) this.#stuck(waiting);
        else if (after !== undefined)
          await this.#alone("after", () => after.call(program, this.#shared, this.#world));
      }
      if (this.#end === "complete" && scheduler.failure === null) this.#leftOver();
    }
    const failure = scheduler.failure ?? scheduler.warning;
    if (failure !== null) this.#end = "failed";
    else if (this.#end === "complete" && this.#turns === "fair") this.#end = "cut";
    this.#strategy.runEnded(
      this.#end,
      waiting.map(({ number }) => ({ task: number, acquires: -1 })),
    );
    return {
      end: this.#end,
      failure,
      choices: this.#choices,
      trace: this.#trace,
      base: this.#base,
      misfit: this.#misfit,
      outcome: this.#outcome,
    };
  }

  /** Runs something in one fixed order: each task as far as it comes, the oldest first. */
  async #alone(what: "before" | "after", run: () => Promise<void>): Promise<void> {
    const scheduler = this.#scheduler;
    if (scheduler.failure !== null) return;
    scheduler.phase = what;
    const task = scheduler.start(what, "helper", run);
    let steps = 0;
    await scheduler.run({
      stepEnded: () => {},
      choose: (runnable) => {
        steps += 1;
        if (steps > this.#options.maxSteps) {
          scheduler.fail({ kind: "livelock", message: `${what} is not over after ${steps - 1} steps` });
          return null;
        }
        return runnable.find(({ role }) => role !== "timer") ?? (runnable[0] as Task);
      },
      idle: () => task.state !== "ended" && this.#idle("expected"),
    });
    if (scheduler.failure === null && task.state !== "ended") this.#stuck([task]);
  }

  #explore(): Director {
    const scheduler = this.#scheduler;
    const strategy = this.#strategy;
    const prefix = this.#prefix;
    const choices = this.#choices;
    const { maxSteps, fairAfter = maxSteps } = this.#options;
    // Few steps say nothing about whether there is an end.
    const fairSteps = Math.max(maxSteps, fewSteps);
    const turns = new Turns();
    const { invariant } = this.#program;
    const { lookouts } = this.#options;
    if (invariant !== undefined)
      this.#world.always(() => invariant.call(this.#program, this.#shared, this.#world));
    lookouts.look(this.#world.lookouts, scheduler);
    return {
      stepEnded: (task, uses) => {
        lookouts.look(this.#world.lookouts, scheduler);
        const footprint = lookouts.extend(uses);
        const enabledBy = scheduler.enabledBy;
        this.#trace.push({ task: task.number, footprint, enabledBy: enabledBy - this.#base });
        if (choices.length > prefix.length && choices.length <= fairAfter) {
          strategy.stepped({
            task: task.number,
            footprint,
            enabledBy: enabledBy < 0 ? enabledBy : Math.max(-1, enabledBy - this.#base),
            acquires: -1,
            varies: true,
          });
        }
        const { warning } = scheduler;
        if (warning !== null && this.#options.warnings === "end the run") scheduler.fail(warning);
      },
      choose: (runnable) => {
        const step = choices.length;
        scheduler.progress.step(step);
        let place: number;
        if (step === fairAfter) {
          this.#turns = "fair";
          scheduler.progress.watch();
        }
        if (step >= fairAfter + fairSteps) {
          this.#end = "cut";
          if (scheduler.progress.latest < fairAfter + fairSteps / 2) this.#livelock(runnable, fairSteps);
          return null;
        }
        if (step >= fairAfter) place = turns.next(runnable, step);
        else if (step < prefix.length) place = prefix[step] as number;
        else {
          const number = strategy.choose(this.#numbers(runnable));
          place = number === -1 ? -1 : runnable.findIndex((task) => task.number === number);
        }
        const task = runnable[place];
        if (task === undefined) {
          this.#end = "abandoned";
          if (step < prefix.length) this.#doesNotFit(step, place, runnable);
          return null;
        }
        choices.push(place);
        return task;
      },
      idle: () => this.#idle(this.#options.deadlines),
    };
  }

  /** Lets time pass if somebody waits and something is due. */
  #idle(deadlines: RunOptions["deadlines"]): boolean {
    const scheduler = this.#scheduler;
    if (scheduler.tasks.every(({ state, role }) => state === "ended" || role === "timer")) return false;
    const due = scheduler.due(deadlines === "expected" ? "any" : "timer");
    if (due === undefined) return false;
    scheduler.letTimePass(due);
    return true;
  }

  /** Ascending; the same array each time. They mostly come in order already. */
  #numbers(runnable: readonly Task[]): readonly number[] {
    const numbers = this.#runnable;
    numbers.length = 0;
    for (const { number } of runnable) {
      let place = numbers.length;
      numbers.push(number);
      for (; place > 0 && (numbers[place - 1] as number) > number; place -= 1) {
        numbers[place] = numbers[place - 1] as number;
      }
      numbers[place] = number;
    }
    return numbers;
  }

  #doesNotFit(step: number, place: number, runnable: readonly Task[]): void {
    this.#misfit =
      `step ${step} of the schedule takes task ${place + 1} of those that can run, and only ` +
      `${runnable.length} can: ${runnable.map(({ name }) => name).join(", ")}`;
    this.#scheduler.fail({
      kind: "uncontrolled",
      message: `the same choices led elsewhere the second time: ${this.#misfit}`,
    });
  }

  #livelock(runnable: readonly Task[], steps: number): void {
    const { maxSteps, fairAfter = maxSteps } = this.#options;
    const points = runnable.map(({ name, op, on }) => `${name} at ${op} of ${on.name}`);
    this.#scheduler.fail({
      kind: "livelock",
      message: `every task got its turn for ${steps} steps and nothing came of it: ${points.join("; ")}`,
      step: this.#base + fairAfter,
    });
  }

  #stuck(waiting: readonly Task[]): void {
    const scheduler = this.#scheduler;
    for (const observer of this.#options.observers) observer.stuck?.(scheduler, waiting);
    const points = waiting.map(({ name, op, on }) => `${name} in ${op} of ${on.name}`);
    scheduler.fail({ kind: "deadlock", message: `nothing can run any more: ${points.join("; ")}` });
  }

  #leftOver(): void {
    const scheduler = this.#scheduler;
    const left = scheduler.tasks.filter(({ role, state }) => role === "helper" && state !== "ended");
    if (left.length > 0) {
      const points = left.map(({ name, op, on }) => `${name} in ${op} of ${on.name}`);
      scheduler.fail({ kind: "leak", message: `still there at the end: ${points.join("; ")}` });
    }
    for (const observer of this.#options.observers) observer.runEnded?.(scheduler);
    for (const message of this.#world.leaks()) scheduler.fail({ kind: "leak", message });
    for (const look of this.#world.conclusions) scheduler.unwatched(look);
    const { observe } = this.#program;
    if (observe === undefined || scheduler.failure !== null) return;
    scheduler.unwatched(() => {
      const seen = observe.call(this.#program, this.#shared, this.#world);
      if (seen instanceof Promise) return seen;
      this.#outcome = JSON.stringify(seen) ?? "undefined";
      return null;
    });
  }
}

function createControlledRuntime(
  scheduler: ControlledScheduler,
  observers: readonly Observer[],
  log: LogRecord[],
): Runtime {
  let random = 1;
  return createRuntime({
    scheduler,
    clock: scheduler,
    ids: createControlledIds(scheduler),
    // xorshift32, from a fixed seed: the same numbers in the same order in every run.
    random: {
      uint32: () => {
        scheduler.access({ name: "random numbers" }, "write");
        random ^= random << 13;
        random ^= random >>> 17;
        random ^= random << 5;
        return random >>> 0;
      },
    },
    log: (record) => {
      log.push(record);
      for (const observer of observers) observer.logged?.(scheduler, record);
      scheduler.progress.made();
      const bug = Object.values(record.fields).find((field) => field instanceof BugError);
      if (bug !== undefined)
        scheduler.fail({ kind: "exception", message: `logged as ${record.event}: ${String(bug)}` });
    },
  });
}

/** Who takes a number decides which the next one gets, so taking one is a write. */
function createControlledIds(scheduler: ControlledScheduler): Ids {
  const last = new Map<string, number>();
  const next = (kind: string): number => {
    scheduler.access({ name: `ids of ${kind}` }, "write");
    const id = (last.get(kind) ?? 0) + 1;
    last.set(kind, id);
    return id;
  };
  return {
    next,
    uuid: () => `00000000-0000-4000-8000-${next("uuid").toString(16).padStart(12, "0")}`,
  };
}
