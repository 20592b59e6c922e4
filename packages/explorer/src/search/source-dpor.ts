import { Search, type SearchOptions } from "./search.js";
import { Sleepers } from "./sleepers.js";
import type { RunEnd, Step, Waiting } from "./strategy.js";

/**
 * Source sets and sleep sets (Abdulla, Aronis, Jonsson, Sagonas: "Source Sets: A Foundation for Optimal Dynamic Partial
 * Order Reduction", JACM 2017). Each race found while running makes the search come back to before its first step and
 * begin with a step from which the race goes the other way. Completes each trace once; some runs are abandoned.
 */
export class SourceDpor extends Search {
  readonly coverage = "everything";
  readonly #sleepers: Sleepers;
  /** Per depth the tasks to begin with there, those done included. */
  readonly #backtrack: number[][] = [];
  #planned = -1;
  // While a race is turned round: per task the first of its steps that is among those to repeat; 0: none.
  readonly #first: number[] = [];
  readonly #seen: number[] = [];

  constructor(options: SearchOptions = {}) {
    super(options);
    this.#sleepers = new Sleepers(this.trail.dependence);
  }

  get traces(): number {
    return this.statistics.complete;
  }

  choose(runnable: readonly number[]): number {
    const depth = this.trail.length;
    if (this.#planned >= 0) {
      const task = this.#planned;
      this.#planned = -1;
      return task;
    }
    const set = this.#backtrack[depth] ?? [];
    this.#backtrack[depth] = set;
    set.length = 0;
    for (let i = 0; i < runnable.length; i++) {
      const task = runnable[i]!;
      if (this.#sleepers.has(depth, task)) continue;
      set.push(task);
      return task;
    }
    return -1;
  }

  override stepped(step: Step): void {
    super.stepped(step);
    this.#sleepers.advance(step.task, step.footprint);
    this.#turnRaces();
  }

  override runEnded(how: RunEnd, waiting: readonly Waiting[]): void {
    super.runEnded(how, waiting);
    const { trail } = this;
    // Also if abandoned: whoever waits here may, coming first, wake those that sleep.
    for (const { task, acquires, enabledBy = -1 } of waiting) {
      if (acquires < 0) continue;
      trail.push({ task, footprint: [acquires * 2 + 1], enabledBy, acquires });
      this.#turnRaces();
      trail.cutTo(trail.length - 1);
    }
  }

  protected backtrack(): number | null {
    const { trail } = this;
    for (let depth = trail.length - 1; depth >= 0; depth--) {
      this.#sleepers.cutTo(depth);
      this.#sleepers.add(trail.task[depth]!, trail.footprint[depth]!);
      for (const task of this.#backtrack[depth]!) {
        if (this.#sleepers.has(depth, task)) continue;
        this.#planned = task;
        trail.cutTo(depth);
        return depth;
      }
    }
    return null;
  }

  /** For each race of the last step: can the search come to it the other way round? */
  #turnRaces(): void {
    const { trail } = this;
    const last = trail.length - 1;
    for (let i = trail.firstRace(last); i < trail.firstRace(last + 1); i++) this.#turn(trail.races[i]!, last);
  }

  #turn(first: number, second: number): void {
    const { trail } = this;
    const set = this.#backtrack[first]!;
    const seen = this.#seen;
    seen.length = 0;
    let initial = -1;
    let covered = false;
    for (let at = first + 1; at <= second && !covered; at++) {
      if (at < second && trail.before(first, at)) continue;
      const task = trail.task[at]!;
      if (seen.includes(task)) continue;
      const free = this.#isInitial(at, at === second);
      seen.push(task);
      this.#first[task] = trail.index[at]!;
      if (!free) continue;
      covered = set.includes(task) || this.#sleepers.has(first, task);
      if (initial < 0) initial = task;
    }
    if (!covered) set.push(initial);
  }

  /** Whether none of the steps seen happened before it: it may as well come first. */
  #isInitial(at: number, last: boolean): boolean {
    const { trail } = this;
    // Without the step that it raced with it may touch other things than it did.
    if (last && trail.varies[at] === true) return this.#seen.length === 0;
    // Through its lock a step comes after all that the lock's holder did, and won't when it takes the lock first.
    const through = last && trail.acquires[at]! >= 0;
    for (const task of this.#seen) {
      const before = through ? this.#cameBefore(at, task) : trail.clock(at, task);
      if (before >= this.#first[task]!) return false;
    }
    return true;
  }

  #cameBefore(at: number, task: number): number {
    const { trail } = this;
    const previous = trail.previous[at]!;
    const enabler = trail.enabledBy[at]!;
    const own = previous >= 0 ? trail.clock(previous, task) : 0;
    return enabler >= 0 ? Math.max(own, trail.clock(enabler, task)) : own;
  }
}
