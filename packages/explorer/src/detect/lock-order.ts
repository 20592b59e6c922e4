/**
 * In which order locks are taken, over all runs of one search: two tasks that take two locks in opposite orders can
 * wait for each other, even if no run that was looked at did (after the kernel's lockdep).
 *
 * No order counts for a lock that is only tried for, within one task, or where all hold another lock in common.
 */
import type { Task } from "../run/task.js";
import type { HeldLocks } from "./held-locks.js";
import type { Scene } from "./observer.js";

export interface LockOrderEdge {
  readonly from: string;
  readonly to: string;
  readonly task: string;
  /** Steps in which the first was taken and the second. */
  readonly steps: readonly [number, number];
  /** Choices of the run that showed it. */
  schedule: readonly number[];
}

interface Edge extends LockOrderEdge {
  readonly fromLock: number;
  readonly toLock: number;
  readonly taskNumber: number;
  /** What else the task held. */
  readonly others: readonly number[];
}

export class LockOrder {
  readonly #locks: HeldLocks;
  readonly #edges = new Map<number, Edge[]>();
  /** Found in the run that is going on. */
  #fresh: Edge[] = [];

  constructor(locks: HeldLocks) {
    this.#locks = locks;
  }

  /** @param lock not among those that the task is known to hold yet */
  taken(scene: Scene, lock: number): void {
    const { task, step, phase } = scene;
    if (task === null || phase !== "tasks") return;
    const name = scene.objectName(lock);
    // Who only tries has come from another point, and waits for nobody.
    if (task.on.name !== name) return;
    for (const { lock: from, task: holder, step: taken } of this.#locks.all) {
      if (holder !== task || from === lock) continue;
      const others = this.#others(task, from);
      const known = this.#edges.get(from);
      if (known?.some((edge) => same(edge, lock, task.number, others)) === true) continue;
      const edge: Edge = {
        from: scene.objectName(from),
        to: name,
        task: task.name,
        steps: [taken, step],
        schedule: [],
        fromLock: from,
        toLock: lock,
        taskNumber: task.number,
        others,
      };
      if (known === undefined) this.#edges.set(from, [edge]);
      else known.push(edge);
      this.#fresh.push(edge);
    }
  }

  /** A run is over. @param choices of its tasks @param base index of their first step */
  runIs(choices: readonly number[], base: number): void {
    if (this.#fresh.length === 0) return;
    for (const edge of this.#fresh) edge.schedule = choices.slice(0, Math.max(0, edge.steps[1] - base + 1));
    this.#fresh = [];
  }

  /** Locks taken in a circle by as many tasks, the shortest circle first. Null: there is none. */
  cycle(): readonly LockOrderEdge[] | null {
    for (let length = 2; length <= this.#edges.size; length += 1) {
      for (const edges of this.#edges.values()) {
        for (const edge of edges) {
          const cycle = this.#extend([edge], length);
          if (cycle !== null) return cycle;
        }
      }
    }
    return null;
  }

  /** What the task holds besides. */
  #others(task: Task, from: number): number[] {
    const others: number[] = [];
    for (const held of this.#locks.all) if (held.task === task && held.lock !== from) others.push(held.lock);
    return others;
  }

  #extend(path: readonly Edge[], length: number): readonly Edge[] | null {
    const last = path[path.length - 1] as Edge;
    if (path.length === length) return last.toLock === path[0]?.fromLock ? path : null;
    for (const edge of this.#edges.get(last.toLock) ?? []) {
      const fits = path.every(
        (other) =>
          other.taskNumber !== edge.taskNumber &&
          other.fromLock !== edge.fromLock &&
          !other.others.some((lock) => edge.others.includes(lock)),
      );
      const cycle = fits ? this.#extend([...path, edge], length) : null;
      if (cycle !== null) return cycle;
    }
    return null;
  }
}

function same(edge: Edge, lock: number, task: number, others: readonly number[]): boolean {
  return (
    edge.toLock === lock &&
    edge.taskNumber === task &&
    edge.others.length === others.length &&
    edge.others.every((other, place) => others[place] === other)
  );
}
