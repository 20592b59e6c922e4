/**
 * Runs one task at a time, from point to point, in the order that `Director` decides. A step begins when the scheduler
 * resumes a task and ends when the task comes to its next point; all of that happens in microtasks, so a run whose
 * microtasks are used up while its task is at no point waits for something that nobody here controls.
 *
 * Time is virtual. "when idle": it moves only when nothing can run, to the earliest timer. "at any time": each timer is
 * a task of its own that may run whenever it is armed, and that does nothing once it has been cancelled; `now` stays.
 */
import type { Access, Blocked, Clock, ClockTimer, Named, Note, Scheduler, Wakeup } from "parhelion-core";
import type { Observer, Phase, Report, Scene } from "../detect/observer.js";
import type { Failure, FailureKind } from "../failure.js";
import { Failures } from "./failures.js";
import type { Footprint } from "./footprint.js";
import { type Names, Objects } from "./objects.js";
import { earliest, type Pending } from "./pending.js";
import { Progress } from "./progress.js";
import { begin, createTask, type Task } from "./task.js";
import { threw, waitsForOutside, waitsInNoTask, waitsTwice } from "./uncontrolled.js";

/** Who decides. All are called between two steps. */
export interface Director {
  /** The running step is over. */
  stepEnded(task: Task, footprint: readonly number[]): void;
  /** @param runnable never empty. @returns one of them, or null: end the run here */
  choose(runnable: readonly Task[]): Task | null;
  /** Nothing can run. @returns whether something can now */
  idle(): boolean;
}

/** Which timers may fire at any time; the others only when nothing can run. */
export type AnyTime = "none" | "timers" | "timers and deadlines";

export class ControlledScheduler implements Scheduler, Clock, Scene {
  readonly tasks: Task[] = [];
  readonly #names: Names;
  readonly #taskNames: Names;
  readonly #objects: Objects;
  readonly #observers: readonly Observer[];
  readonly #footprint: Footprint;
  readonly #pending = new Set<Pending>();
  readonly #runnable: Task[] = [];
  #director: Director | null = null;
  #task: Task | null = null;
  #step = -1;
  #now = 0;
  readonly #anyTime: AnyTime;
  readonly #deadlines: "expected" | "failure";
  readonly #settled = Promise.resolve();
  readonly #failures: Failures;
  phase: Phase = "setup";
  #watching: "yes" | "no" = "yes";
  #seen: Set<number> | null = null;
  readonly #progress = new Progress();
  #enabledBy = -1;
  #over: (() => void) | null = null;

  /** Lets time pass in `before` and `after` and when nothing can run. */
  readonly #time: Task;

  /** @param footprint serves no other run meanwhile @param ignored failures that are none in this program */
  constructor(
    names: Names,
    taskNames: Names,
    footprint: Footprint,
    observers: readonly Observer[],
    { anyTime, deadlines }: { readonly anyTime: AnyTime; readonly deadlines: "expected" | "failure" },
    ignored: ReadonlySet<FailureKind>,
  ) {
    this.#anyTime = anyTime;
    this.#deadlines = deadlines;
    this.#failures = new Failures(ignored);
    this.#names = names;
    this.#taskNames = taskNames;
    this.#objects = new Objects(names);
    this.#footprint = footprint;
    this.#observers = observers;
    this.#time = createTask(taskNames.number("/time"), "time", "timer", -2);
  }

  get step(): number {
    return this.#step;
  }

  get task(): Task | null {
    return this.#task;
  }

  /** What made the running task able to run; -1: it was from the start of the run, -2: see `Step`. */
  get enabledBy(): number {
    return this.#enabledBy;
  }

  get failure(): Failure | null {
    return this.#failures.failure;
  }

  objectName(object: number): string {
    return this.#names.name(object);
  }

  wholeOf(object: number): string | null {
    return this.#names.whole(object);
  }

  /** What the run has failed with though it went on. */
  get warning(): Failure | null {
    return this.#failures.warning;
  }

  get progress(): Progress {
    return this.#progress;
  }

  fail(failure: Report): void {
    this.#failures.fail(failure, this.#step);
  }

  warn(failure: Report): void {
    this.#failures.warn(failure, this.#step);
  }

  // What code under test calls.

  block(op: string, on: Named, deadline: number): Blocked {
    const task = this.#atPoint(op, on);
    let settle: ((how: Wakeup) => void) | null = null;
    const wakeup = new Promise<Wakeup>((resolve) => {
      settle = resolve;
    });
    if (task === null) return { wakeup: new Promise(() => {}), wake: () => false };
    task.state = "blocked";
    const object = this.#objects.number(on);
    for (const observer of this.#observers) observer.blocked?.(this, object);
    let pending: Pending | null = null;
    const end = (how: Wakeup): boolean => {
      const finish = settle;
      if (finish === null) return false;
      settle = null;
      if (pending !== null) this.#cancel(pending);
      task.state = "runnable";
      task.enabledBy = this.#step;
      task.resume = () => finish(how);
      for (const observer of this.#observers) observer.woken?.(this, task);
      return true;
    };
    if (deadline !== Number.POSITIVE_INFINITY) {
      pending = this.#pend("deadline", deadline, `${op} of ${on.name}`, () => {
        this.access(on, "write");
        end("timeout");
      });
    }
    this.#later();
    return { wakeup, wake: () => end("woken") };
  }

  yield(op: string, on: Named): Promise<void> {
    const task = this.#atPoint(op, on);
    if (task === null) return new Promise(() => {});
    return new Promise((resolve) => {
      task.state = "runnable";
      task.resume = resolve;
      this.#later();
    });
  }

  spawn(name: string, run: () => Promise<void>): void {
    this.start(name, "helper", run);
  }

  access(on: Named, mode: Access): void {
    if (this.#watching === "no") this.#seen?.add(this.#objects.number(on));
    if (this.#task === null || this.#watching === "no") return;
    const object = this.#objects.number(on);
    this.#footprint.add(object, mode === "write" || mode === "store" ? 1 : 0);
    if (this.#names.whole(object) !== null) this.#footprint.add(this.#names.life(object), 0);
    for (const observer of this.#observers) observer.access?.(this, object, mode);
  }

  note(note: Note, on: Named): void {
    const object = this.#objects.number(on);
    if (note === "free" && this.#task !== null) this.#footprint.add(this.#names.life(object), 1);
    for (const observer of this.#observers) observer.note?.(this, note, object);
  }

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): ClockTimer {
    const pending = this.#pend("timer", this.#now + Math.max(0, ms), "timer", fire);
    return {
      cancel: () => {
        this.#cancel(pending);
      },
    };
  }

  // What the run calls.

  /** Runs `look` outside of any step. What it uses goes into `seen`, not into a footprint. */
  unwatched(look: () => unknown, seen: Set<number> | null = null): void {
    this.#watching = "no";
    this.#seen = seen;
    try {
      const looked: unknown = look();
      if (looked instanceof Promise) {
        looked.catch(() => {});
        throw new TypeError(
          "what is looked at between two steps, or at the end, is looked at at once: no async",
        );
      }
    } catch (error) {
      this.fail({ kind: "invariant", message: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#watching = "yes";
      this.#seen = null;
    }
  }

  start(name: string, role: Task["role"], run: () => Promise<void>): Task {
    const task = this.#create(name, role);
    task.resume = () => {
      begin(run).then(
        () => this.#ended(task),
        (error: unknown) => {
          this.fail(threw(name, error));
          this.#ended(task);
        },
      );
    };
    return task;
  }

  /** Runs until `director` ends it, nothing can run any more, or something failed. */
  run(director: Director): Promise<void> {
    this.#director = director;
    return new Promise((resolve) => {
      this.#over = resolve;
      this.#later();
    });
  }

  /** The microtasks are used up though a step is running: see above. */
  reportUncontrolled(): void {
    this.fail(waitsForOutside(this.#task));
    this.#stop();
  }

  /** The earliest timer, or the earliest of timers and deadlines. */
  due(kind: "timer" | "any"): Pending | undefined {
    return earliest(this.#pending, kind);
  }

  /** Only when nothing can run. Has `pending` fire as the next step. */
  letTimePass(pending: Pending): void {
    const time = this.#time;
    if (!this.tasks.includes(time)) this.tasks.push(time);
    time.state = "runnable";
    time.resume = () => {
      this.#now = Math.max(this.#now, pending.due);
      this.#fire(pending);
    };
  }

  #create(name: string, role: Task["role"]): Task {
    const parent = this.#task;
    const path =
      parent === null ? `/${name}` : `${parent.children} of ${this.#taskNames.name(parent.number)}`;
    if (parent !== null) parent.children += 1;
    const task = createTask(this.#taskNames.number(path), name, role, parent === null ? -1 : this.#step);
    this.tasks.push(task);
    if (role !== "timer") this.#progress.made();
    for (const observer of this.#observers) observer.spawned?.(this, task);
    return task;
  }

  #pend(kind: Pending["kind"], due: number, what: string, fire: () => void): Pending {
    const isTask =
      this.#anyTime === "timers and deadlines" || (this.#anyTime === "timers" && kind === "timer");
    const task = isTask ? this.#create(`${kind} ${what}`, "timer") : null;
    const on = task === null ? null : { name: `timer ${this.#taskNames.name(task.number)}` };
    const pending: Pending = { due, kind, what, on, fire };
    this.#pending.add(pending);
    // Of those that are due at once, the one that was there first fires first.
    if (task === null && (kind === "timer" || this.#deadlines === "expected")) {
      this.access({ name: `what is due at ${due}` }, "write");
    }
    if (task !== null) task.resume = () => this.#fire(pending);
    return pending;
  }

  #cancel(pending: Pending): void {
    if (this.#pending.delete(pending) && pending.on !== null) this.access(pending.on, "write");
  }

  /** A timer's step is over when its callback is: a callback that must wait spawns a task. */
  #fire(pending: Pending): void {
    if (pending.on !== null) this.access(pending.on, "write");
    const task = this.#task as Task;
    if (this.#pending.delete(pending)) {
      try {
        pending.fire();
      } catch (error) {
        this.fail(threw(task.name, error));
      }
    }
    this.#ended(task);
  }

  /** The running task has come to a point. Null when no task is running: somebody waits where no task is. */
  #atPoint(op: string, on: Named): Task | null {
    const task = this.#task;
    if (task === null || task.state !== "running") {
      this.fail(task === null ? waitsInNoTask(op, on) : waitsTwice(task, op, on));
      return null;
    }
    task.op = op;
    task.on = on;
    return task;
  }

  #ended(task: Task): void {
    task.state = "ended";
    if (task.role !== "timer") this.#progress.made();
    for (const observer of this.#observers) observer.ended?.(this, task);
    this.#later();
  }

  /** Half the price of queueMicrotask, which keeps an asynchronous context for each. */
  #later(): void {
    void this.#settled.then(this.#next);
  }

  readonly #next = (): void => {
    const director = this.#director;
    if (director === null) return;
    const last = this.#task;
    if (last !== null) {
      this.#task = null;
      director.stepEnded(last, this.#footprint.entries);
    }
    if (this.failure !== null) {
      this.#stop();
      return;
    }
    let runnable = this.#collect();
    while (runnable.length === 0) {
      if (!director.idle() || this.failure !== null) {
        this.#stop();
        return;
      }
      runnable = this.#collect();
    }
    const task = director.choose(runnable);
    if (task === null) {
      this.#stop();
      return;
    }
    this.#step += 1;
    this.#footprint.begin();
    this.#task = task;
    task.state = "running";
    this.#enabledBy = task.enabledBy;
    for (const observer of this.#observers) observer.stepBegan?.(this);
    const { resume } = task;
    task.resume = null;
    resume?.();
  };

  #collect(): readonly Task[] {
    const runnable = this.#runnable;
    runnable.length = 0;
    for (const task of this.tasks) if (task.state === "runnable") runnable.push(task);
    return runnable;
  }

  #stop(): void {
    this.#director = null;
    const over = this.#over;
    this.#over = null;
    over?.();
  }
}
