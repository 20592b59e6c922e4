/**
 * Why nothing can run any more: tasks that wait for each other's locks, a task that was told before it slept, or one
 * that nobody ever tells.
 */
import type { Task } from "../run/task.js";
import type { HeldLocks } from "./held-locks.js";
import type { Scene } from "./observer.js";

interface Sleep {
  readonly object: number;
  readonly step: number;
}

interface Wake {
  readonly object: number;
  readonly step: number;
  readonly by: Task;
}

export class Stuck {
  readonly #locks: HeldLocks;
  /** By task number. */
  readonly #sleeps: (Sleep | undefined)[] = [];
  /** Whose waiters were told, the latest last. */
  readonly #wakes: Wake[] = [];

  constructor(locks: HeldLocks) {
    this.#locks = locks;
  }

  runBegan(): void {
    this.#sleeps.length = 0;
    this.#wakes.length = 0;
  }

  told({ phase, step, task }: Scene, object: number): void {
    if (task !== null && phase !== "before") this.#wakes.push({ object, step, by: task });
  }

  blocked({ step, task }: Scene, object: number): void {
    if (task === null) return;
    while (this.#sleeps.length <= task.number) this.#sleeps.push(undefined);
    this.#sleeps[task.number] = { object, step };
  }

  woken(task: Task): void {
    if (task.number < this.#sleeps.length) this.#sleeps[task.number] = undefined;
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
    const object = this.#sleeps[sleeper.number]?.object;
    return this.#wakes.findLast((wake) => wake.object === object && wake.by !== sleeper);
  }

  /** Holders of the lock it wants; and a task that was started to do what it waits for, which has that for a name. */
  #waitsFor(scene: Scene, task: Task): readonly Task[] {
    const sleep = this.#sleeps[task.number];
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
      clash: cycle.map((task) => (this.#sleeps[task.number] as Sleep).step).sort((a, b) => a - b),
    });
  }

  /** What the task waits for, and who has it. @param holder the one to name where several have */
  #describe(scene: Scene, task: Task, holder?: Task): string {
    const { object, step } = this.#sleeps[task.number] ?? { object: -1, step: scene.step };
    const holders = this.#locks.holders(object);
    const held = holders.find((lock) => lock.task === holder) ?? holders[0];
    return held === undefined
      ? `${task.name} waits for ${task.on.name} since step ${step}`
      : `${task.name} wants ${task.on.name} since step ${step}, which ` +
          `${held.task === task ? "it" : (held.task?.name ?? "setup")} holds since step ${held.step}`;
  }

  #neverWoken(scene: Scene, task: Task, waiting: readonly Task[]): void {
    const step = this.#sleeps[task.number]?.step ?? scene.step;
    const wake = this.#lastWake(task);
    const behind = waiting.filter((other) => other !== task);
    const clash = [step, ...behind.flatMap((other) => this.#sleeps[other.number]?.step ?? [])].sort(
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
