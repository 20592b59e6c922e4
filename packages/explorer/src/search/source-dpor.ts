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
  // Races, first and second step, that are to be turned again in every run that shares them.
  readonly #openFirst: number[] = [];
  readonly #openSecond: number[] = [];
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
    const { trail } = this;
    const last = trail.length - 1;
    const end = trail.firstRace(last + 1);
    for (let i = trail.firstRace(last); i < end; i++) {
      const first = trail.races[i]!;
      if (step.varies === true) {
        this.#openFirst.push(first);
        this.#openSecond.push(last);
      } else this.#turn(first, last, last);
    }
  }

  override runEnded(how: RunEnd, waiting: readonly Waiting[]): void {
    super.runEnded(how, waiting);
    this.#turnOpenRaces();
    const { trail } = this;
    // Also if abandoned: whoever waits here may, coming first, wake those that sleep.
    const { length } = trail;
    for (const { task, acquires, enabledBy = -1 } of waiting) {
      if (acquires < 0) continue;
      trail.push({ task, footprint: [acquires * 2 + 1], enabledBy, acquires });
      const end = trail.firstRace(length + 1);
      for (let i = trail.firstRace(length); i < end; i++) this.#turn(trail.races[i]!, length, length);
      trail.cutTo(length);
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
        this.#forgetFrom(depth);
        return depth;
      }
    }
    return null;
  }

  /**
   * Without the first step the second may clash with steps after it that it did not clash with. So these belong before it,
   * and they are others in other runs that go the same way up to the second.
   */
  #turnOpenRaces(): void {
    const { length } = this.trail;
    const firsts = this.#openFirst;
    const seconds = this.#openSecond;
    let open = 0;
    for (let i = 0; i < seconds.length; i++) {
      const first = firsts[i]!;
      const second = seconds[i]!;
      if (this.#turn(first, second, length)) continue;
      firsts[open] = first;
      seconds[open++] = second;
    }
    firsts.length = seconds.length = open;
  }

  /**
   * Can the search come to a race the other way round? Sees to it.
   * @param length how many of the run's steps count, `second` besides
   * @returns whether it can in every run that goes the same way up to `second`
   */
  #turn(first: number, second: number, length: number): boolean {
    const { trail } = this;
    this.#seen.length = 0;
    let initial = -1;
    for (let at = first + 1; at < length; at++) {
      if (at === second || trail.before(first, at)) continue;
      const task = trail.task[at]!;
      if (!this.#isNext(at, false)) continue;
      if (this.#isCovered(first, task)) return at < second;
      if (initial < 0) initial = at;
    }
    const varies = trail.varies[second] === true;
    if (this.#isNext(second, true)) {
      if (this.#isCovered(first, trail.task[second]!)) return !varies;
      if (initial < 0) initial = second;
    }
    this.#backtrack[first]!.push(trail.task[initial]!);
    return initial < second || (initial === second && !varies);
  }

  /** Forgets the open races that are not in the first steps. */
  #forgetFrom(depth: number): void {
    let open = this.#openSecond.length;
    while (open > 0 && this.#openSecond[open - 1]! >= depth) open--;
    this.#openFirst.length = this.#openSecond.length = open;
  }

  #isCovered(depth: number, task: number): boolean {
    return this.#backtrack[depth]!.includes(task) || this.#sleepers.has(depth, task);
  }

  /** Whether a step could come first of those seen, and itself. Counts it as seen. */
  #isNext(at: number, last: boolean): boolean {
    const task = this.trail.task[at]!;
    if (this.#seen.includes(task)) return false;
    const initial = this.#isInitial(at, last);
    this.#seen.push(task);
    this.#first[task] = this.trail.index[at]!;
    return initial;
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
