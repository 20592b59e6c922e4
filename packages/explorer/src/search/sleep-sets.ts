import { Choices } from "./choices.js";
import { Search, type SearchOptions } from "./search.js";
import { Sleepers } from "./sleepers.js";
import type { Step } from "./strategy.js";

/**
 * Every schedule but those that sleep sets show to be repetitions: no trace is completed twice, but most runs are begun
 * in vain and abandoned. Here to measure what finding races first saves.
 */
export class SleepSets extends Search {
  readonly coverage = "everything";
  readonly #choices = new Choices();
  readonly #sleepers: Sleepers;
  #planned = -1;

  constructor(options: SearchOptions = {}) {
    super(options);
    this.#sleepers = new Sleepers(this.trail.dependence);
  }

  get traces(): number {
    return this.statistics.complete;
  }

  choose(runnable: readonly number[]): number {
    const depth = this.trail.length;
    if (this.#planned < 0) {
      this.#choices.push(runnable);
      return this.#awake(depth);
    }
    const task = this.#planned;
    this.#planned = -1;
    return task;
  }

  override stepped(step: Step): void {
    super.stepped(step);
    this.#sleepers.advance(step.task, step.footprint);
  }

  protected backtrack(): number | null {
    const { trail } = this;
    for (let depth = trail.length - 1; depth >= 0; depth--) {
      this.#sleepers.cutTo(depth);
      this.#sleepers.add(trail.task[depth]!, trail.footprint[depth]!);
      this.#choices.cutTo(depth);
      this.#planned = this.#awake(depth);
      if (this.#planned < 0) continue;
      trail.cutTo(depth);
      return depth;
    }
    return null;
  }

  #awake(depth: number): number {
    const end = this.#choices.end(depth);
    for (let at = this.#choices.start(depth); at < end; at++) {
      const task = this.#choices.task(at);
      if (!this.#sleepers.has(depth, task)) return task;
    }
    return -1;
  }
}
