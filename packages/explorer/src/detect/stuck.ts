/**
 * Why nothing can run any more: tasks that wait for each other's locks, a task that was told before it slept, or one
 * that nobody ever tells.
 */
import type { Note } from "parhelion-core";
import type { Task } from "../run/task.js";
import type { HeldLocks } from "./held-locks.js";
import type { Observer, Scene } from "./observer.js";

interface Sleep {
  readonly object: number;
  readonly step: number;
}

interface Wake {
  readonly step: number;
  readonly by: Task;
}

export class Stuck implements Observer {
  readonly #locks: HeldLocks;
  readonly #sleeps = new Map<Task, Sleep>();
  /** The last time each object's waiters were told, by each task that did. */
  readonly #wakes = new Map<number, Wake[]>();

  constructor(locks: HeldLocks) {
    this.#locks = locks;
  }

  runBegan(): void {
    this.#sleeps.clear();
    this.#wakes.clear();
  }

  note({ phase, step, task }: Scene, note: Note, object: number): void {
    if (note !== "wake" || task === null || phase === "before") return;
    const others = this.#wakes.get(object)?.filter(({ by }) => by !== task) ?? [];
    this.#wakes.set(object, [{ step, by: task }, ...others]);
  }

  blocked({ step, task }: Scene, object: number): void {
    if (task !== null) this.#sleeps.set(task, { object, step });
  }

  woken(_scene: Scene, task: Task): void {
    this.#sleeps.delete(task);
  }

  stuck(scene: Scene, waiting: readonly Task[]): void {
    const path: Task[] = [];
    const seen = new Set<Task>();
    const roots: Task[] = [];
    const walk = (task: Task): readonly Task[] | null => {
      const start = path.indexOf(task);
      if (start !== -1) return path.slice(start);
      if (seen.has(task)) return null;
      seen.add(task);
      path.push(task);
      const next = this.#waitsFor(scene, task);
      if (next.length === 0) roots.push(task);
      for (const other of next) {
        const cycle = walk(other);
        if (cycle !== null) return cycle;
      }
      path.pop();
      return null;
    };
    for (const task of waiting) {
      const cycle = walk(task);
      if (cycle === null) continue;
      this.#deadlock(scene, cycle);
      return;
    }
    const lost = roots.find((task) => this.#lastWake(task) !== undefined);
    const root = lost ?? roots[0];
    if (root !== undefined) this.#neverWoken(scene, root, waiting);
  }

  /** Who tells others and then waits itself has not missed that. */
  #lastWake(sleeper: Task): Wake | undefined {
    return this.#wakes.get(this.#sleeps.get(sleeper)?.object ?? -1)?.find(({ by }) => by !== sleeper);
  }

  /** Holders of the lock it wants; and a task that was started to do what it waits for, which has that for a name. */
  #waitsFor(scene: Scene, task: Task): readonly Task[] {
    const sleep = this.#sleeps.get(task);
    if (sleep === undefined) return [];
    const holders = this.#locks.holders(sleep.object).flatMap((held) => held.task ?? []);
    const name = scene.objectName(sleep.object);
    return [
      ...holders,
      ...scene.tasks.filter((other) => other !== task && other.name === name && other.state === "blocked"),
    ];
  }

  #deadlock(scene: Scene, cycle: readonly Task[]): void {
    const parts = cycle.map((task, place) => {
      const next = cycle[(place + 1) % cycle.length];
      return this.#describe(scene, task, next);
    });
    scene.fail({
      kind: "deadlock",
      message: parts.join("; "),
      clash: cycle.map((task) => (this.#sleeps.get(task) as Sleep).step).sort((a, b) => a - b),
    });
  }

  /** What the task waits for, and who has it. @param holder the one to name where several have */
  #describe(scene: Scene, task: Task, holder?: Task): string {
    const { object, step } = this.#sleeps.get(task) ?? { object: -1, step: scene.step };
    const holders = this.#locks.holders(object);
    const held = holders.find((lock) => lock.task === holder) ?? holders[0];
    return held === undefined
      ? `${task.name} waits for ${task.on.name} since step ${step}`
      : `${task.name} wants ${task.on.name} since step ${step}, which ` +
          `${held.task === task ? "it" : (held.task?.name ?? "setup")} holds since step ${held.step}`;
  }

  #neverWoken(scene: Scene, task: Task, waiting: readonly Task[]): void {
    const step = this.#sleeps.get(task)?.step ?? scene.step;
    const wake = this.#lastWake(task);
    const behind = waiting.filter((other) => other !== task);
    const clash = [step, ...behind.flatMap((other) => this.#sleeps.get(other)?.step ?? [])].sort(
      (a, b) => a - b,
    );
    const also = behind.map((other) => `; ${this.#describe(scene, other)}`).join("");
    const sleeps = `${task.name} sleeps in ${task.op} of ${task.on.name} since step ${step}`;
    if (wake === undefined) {
      scene.fail({
        kind: "deadlock",
        message: `${sleeps} and is never woken: nobody is left who could${also}`,
        clash,
      });
      return;
    }
    scene.fail({
      kind: "lost-wakeup",
      message:
        wake.step < step
          ? `${sleeps}: ${wake.by.name} told it in step ${wake.step}, before it slept, and nobody is left to tell it again${also}`
          : `${sleeps}: ${wake.by.name} told it in step ${wake.step}, which reached somebody else, and nobody is left to tell it again${also}`,
      clash: [wake.step, step],
    });
  }
}
