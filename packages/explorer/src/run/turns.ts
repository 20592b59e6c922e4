/** Who has waited longest for a turn. */
import type { Task } from "./task.js";

export class Turns {
  #last: Map<Task, number> | null = null;

  /** @returns the place of the one that goes in this step */
  next(runnable: readonly Task[], step: number): number {
    let place = 0;
    for (const [other, task] of runnable.entries()) {
      if (this.#since(task) < this.#since(runnable[place] as Task)) place = other;
    }
    this.#last ??= new Map();
    this.#last.set(runnable[place] as Task, step);
    return place;
  }

  #since(task: Task): number {
    return this.#last?.get(task) ?? -1;
  }
}
