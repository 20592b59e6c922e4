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
      } else this.#turn(first, last);
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
      for (let i = trail.firstRace(length); i < end; i++) this.#turn(trail.races[i]!, length);
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

  /** Races whose second step may, without the first, clash with steps after it: others in each run that shares them. */
  #turnOpenRaces(): void {
    const { length } = this.trail;
    const firsts = this.#openFirst;
    const seconds = this.#openSecond;
    let open = 0;
    for (let i = 0; i < seconds.length; i++) {
      const first = firsts[i]!;
      const second = seconds[i]!;
      if (this.#turnUnknown(first, second, length)) continue;
      firsts[open] = first;
      seconds[open++] = second;
    }
    firsts.length = seconds.length = open;
  }

  /** Sees to it that the search comes to a race the other way round. */
  #turn(first: number, second: number): void {
    const { trail } = this;
    this.#seen.length = 0;
    let initial = -1;
    for (let at = first + 1; at <= second; at++) {
      if ((at < second && trail.before(first, at)) || !this.#isNext(at, at === second)) continue;
      const task = trail.task[at]!;
      if (this.#isCovered(first, task)) return;
      if (initial < 0) initial = task;
    }
    this.#backtrack[first]!.push(initial);
  }

  /**
   * The same where nobody knows what the second step touches without the first. If it came after others that don't depend on the
   * first, it still does: one of them has to begin. Otherwise it may come first, or after any of the steps that it did
   * not clash with as it was, so each of these has to begin once.
   * @returns whether that holds for every run that goes the same way up to `second`
   */
  #turnUnknown(first: number, second: number, length: number): boolean {
    const { trail } = this;
    this.#seen.length = 0;
    let initial = -1;
    for (let at = first + 1; at < second; at++) {
      if (trail.before(first, at) || !trail.before(at, second) || !this.#isNext(at, false)) continue;
      const task = trail.task[at]!;
      if (this.#isCovered(first, task)) return true;
      if (initial < 0) initial = task;
    }
    if (initial >= 0) {
      this.#backtrack[first]!.push(initial);
      return true;
    }
    this.#beginOnce(first, trail.task[second]!);
    for (let at = first + 1; at < length; at++)
      if (at !== second && !trail.before(first, at) && this.#isNext(at, false))
        this.#beginOnce(first, trail.task[at]!);
    return false;
  }

  #beginOnce(depth: number, task: number): void {
    if (!this.#isCovered(depth, task)) this.#backtrack[depth]!.push(task);
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
