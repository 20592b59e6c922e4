import type { Dependence } from "./dependence.js";

/**
 * Sleep sets: per depth of the run, tasks that need not go next there, with what their next step touches. A task falls
 * asleep where everything that begins with its step has been seen, and wakes when a step is taken that its own depends on.
 * One stack for all depths: only the deepest set ever grows.
 */
export class Sleepers {
  readonly #tasks: number[] = [];
  readonly #footprints: (readonly number[])[] = [];
  #count = 0;
  /** Where each depth's set starts; it ends where the next one starts. */
  readonly #starts: number[] = [0];
  #depth = 0;
  readonly #dependence: Dependence;

  constructor(dependence: Dependence) {
    this.#dependence = dependence;
  }

  start(depth: number): number {
    return this.#starts[depth]!;
  }

  end(depth: number): number {
    return depth < this.#depth ? this.#starts[depth + 1]! : this.#count;
  }

  task(at: number): number {
    return this.#tasks[at]!;
  }

  footprint(at: number): readonly number[] {
    return this.#footprints[at]!;
  }

  has(depth: number, task: number): boolean {
    const end = this.end(depth);
    for (let i = this.#starts[depth]!; i < end; i++) if (this.#tasks[i] === task) return true;
    return false;
  }

  /** Puts a task to sleep at the deepest depth. */
  add(task: number, footprint: readonly number[]): void {
    const at = this.#count++;
    this.#tasks[at] = task;
    this.#footprints[at] = footprint;
  }

  /** A step was taken at the deepest depth: who sleeps on after it. */
  advance(task: number, footprint: readonly number[]): void {
    const from = this.#starts[this.#depth]!;
    const to = this.#count;
    this.#starts[++this.#depth] = to;
    for (let i = from; i < to; i++) {
      const sleeper = this.#tasks[i]!;
      const theirs = this.#footprints[i]!;
      if (sleeper !== task && !this.#dependence.clash(theirs, footprint)) this.add(sleeper, theirs);
    }
  }

  /** Forgets what is deeper than `depth`. */
  cutTo(depth: number): void {
    if (depth >= this.#depth) return;
    this.#count = this.#starts[depth + 1]!;
    this.#depth = depth;
  }
}
