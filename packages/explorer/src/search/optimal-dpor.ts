import { Search, type SearchOptions } from "./search.js";
import { Sleepers } from "./sleepers.js";
import type { Foresee, RunEnd, Step, Waiting } from "./strategy.js";
import { Branch, type Footprint, Sequence } from "./wakeup-tree.js";

/**
 * Source sets with wakeup trees (same paper as `SourceDpor`): every run completes, and every trace is run once.
 *
 * When a run has ended, each of its races (first, second) asks for a run in which the second step comes without the
 * first: the steps after `first` that don't depend on it, and the second. If what was already done or planned at that
 * place does not lead there, the whole sequence is planned, not only its beginning; that is what keeps a run from
 * ending where everything that could go on sleeps.
 *
 * What the second step touches without the first before it may differ from what was seen (`Step.varies`). A runner that can
 * look ahead says so before the first run (`foreseeWith`). Without that, this is a search with source sets that goes on from a
 * race as the race suggests: still every trace once, but some runs end where everything that could go on sleeps.
 */
export class OptimalDpor extends Search {
  readonly coverage = "everything";
  readonly #sleepers: Sleepers;
  /** Per depth what is planned to begin with there, the current step not included. */
  readonly #plans: Branch[][] = [];
  readonly #sequence: Sequence;
  /** Per step of the run its position in the sequence at hand. */
  readonly #position: number[] = [];
  /** Steps before this one were there in the run before. */
  #kept = 0;
  // Races, first and second step, that are to be turned again in every run that shares them.
  readonly #openFirst: number[] = [];
  readonly #openSecond: number[] = [];
  #foresee: Foresee | undefined;

  constructor(options: SearchOptions = {}) {
    super(options);
    this.#sleepers = new Sleepers(this.trail.dependence);
    this.#sequence = new Sequence(this.trail.dependence);
  }

  get traces(): number {
    return this.statistics.complete;
  }

  foreseeWith(foresee: Foresee): void {
    this.#foresee = foresee;
  }

  choose(runnable: readonly number[]): number {
    const depth = this.trail.length;
    const plan = this.#plans[depth] ?? [];
    this.#plans[depth] = plan;
    for (let branch = plan.shift(); branch !== undefined; branch = plan.shift()) {
      const { task } = branch;
      // What begins with a sleeping task has been seen: it was planned without knowing all that it touches.
      if (this.#sleepers.has(depth, task) || !runnable.includes(task)) continue;
      this.#plans[depth + 1] = branch.advance();
      return task;
    }
    this.#plans[depth + 1] = [];
    for (let i = 0; i < runnable.length; i++)
      if (!this.#sleepers.has(depth, runnable[i]!)) return runnable[i]!;
    return -1;
  }

  override stepped(step: Step): void {
    super.stepped(step);
    this.#sleepers.advance(step.task, step.footprint);
  }

  override runEnded(how: RunEnd, waiting: readonly Waiting[]): void {
    super.runEnded(how, waiting);
    const { trail } = this;
    const length = trail.length;
    this.#turnOpenRaces(length);
    for (let at = this.#kept; at < length; at++) this.#turnRaces(at, length);
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
      if (this.#plans[depth]!.length === 0) continue;
      this.#sleepers.cutTo(depth);
      this.#sleepers.add(trail.task[depth]!, trail.footprint[depth]!);
      trail.cutTo(depth);
      this.#kept = depth;
      return depth;
    }
    return null;
  }

  #turnRaces(second: number, length: number): void {
    const { trail } = this;
    const end = trail.firstRace(second + 1);
    for (let i = trail.firstRace(second); i < end; i++) {
      const first = trail.races[i]!;
      if (this.#turn(first, second, length)) continue;
      this.#openFirst.push(first);
      this.#openSecond.push(second);
    }
  }

  #turnOpenRaces(length: number): void {
    const firsts = this.#openFirst;
    const seconds = this.#openSecond;
    let open = 0;
    for (let i = 0; i < seconds.length; i++) {
      const first = firsts[i]!;
      const second = seconds[i]!;
      if (second >= this.#kept) break;
      if (this.#turn(first, second, length)) continue;
      firsts[open] = first;
      seconds[open++] = second;
    }
    firsts.length = seconds.length = open;
  }

  /**
   * Plans the other way round of a race, if it is not covered.
   * @returns whether every run that goes the same way up to `second` can leave it at that
   */
  #turn(first: number, second: number, length: number): boolean {
    const sequence = this.#sequence;
    sequence.clear();
    this.#appendBetween(first, first + 1, second, second, true);
    const needed = sequence.length;
    const footprint = this.#footprintOf(first, second);
    if (footprint === null) return this.#turnUnknown(first, second, length);
    // What the second step did not come after, it does not depend on.
    this.#append(first, second, footprint);
    // Whoever sleeps there and comes before the second step, or is it, does so in all of these runs.
    if (this.#begunAsleep(first, needed + 1)) return true;
    this.#appendBetween(first, first + 1, second, second, false);
    if (this.#foresee === undefined) return this.#turnBlindly(first, second, length);
    this.#appendBetween(first, second + 1, length, second, false);
    const end = this.#sleepers.end(first);
    for (let i = this.#sleepers.start(first); i < end; i++)
      if (sequence.beginsWith(this.#sleepers.task(i), this.#sleepers.footprint(i)) >= 0) return false;
    sequence.insertInto(this.#plans[first]!);
    return false;
  }

  /** As source sets do: it is enough, and necessary, that a step begins that the sequence up to `second` can begin with. */
  #turnBlindly(first: number, second: number, length: number): boolean {
    const sequence = this.#sequence;
    const plan = this.#plans[first]!;
    const own = sequence.length;
    if (this.#begunAsleep(first, own) || sequence.beginsOneOf(plan, own)) return true;
    this.#appendBetween(first, second + 1, length, second, false);
    plan.push(sequence.rest());
    return true;
  }

  /**
   * Where nobody knows what the second step touches without the first. If it came after others that don't depend on the first,
   * it still does: one of them has to begin. Otherwise it may come first, or after any of the steps that it did not
   * clash with as it was, so each of these has to begin once.
   */
  #turnUnknown(first: number, second: number, length: number): boolean {
    const { trail } = this;
    const sequence = this.#sequence;
    const needed = sequence.length;
    const plan = this.#plans[first]!;
    if (needed > 0) {
      if (this.#begunAsleep(first, needed) || sequence.beginsOneOf(plan, needed)) return true;
      this.#append(first, second, null);
      plan.push(sequence.rest());
      return true;
    }
    this.#beginOnce(first, trail.task[second]!, null);
    this.#appendBetween(first, first + 1, second, second, false);
    this.#appendBetween(first, second + 1, length, second, false);
    for (let i = 0; i < sequence.length; i++) {
      const task = sequence.task(i);
      const footprint = sequence.footprint(i);
      if (sequence.beginsWith(task, footprint) === i) this.#beginOnce(first, task, footprint);
    }
    return false;
  }

  #beginOnce(depth: number, task: number, footprint: Footprint): void {
    const plan = this.#plans[depth]!;
    if (this.#sleepers.has(depth, task) || plan.some((branch) => branch.task === task)) return;
    plan.push(new Branch([task], [footprint]));
  }

  /** Whether one of the sequence's own first steps sleeps at `depth`. */
  #begunAsleep(depth: number, length: number): boolean {
    const sleepers = this.#sleepers;
    const end = sleepers.end(depth);
    for (let i = sleepers.start(depth); i < end; i++) {
      const begins = this.#sequence.beginsWith(sleepers.task(i), sleepers.footprint(i));
      if (begins >= 0 && begins < length) return true;
    }
    return false;
  }

  /** Appends those steps that did not come after `first`, and that `second` came after, or did not. */
  #appendBetween(first: number, from: number, to: number, second: number, cameBefore: boolean): void {
    const { trail } = this;
    for (let at = from; at < to; at++)
      if (!trail.before(first, at) && (at < second && this.#leadsTo(at, second)) === cameBefore)
        this.#append(first, at, trail.footprint[at]!);
  }

  /** Whether a step had to come before another, had that not waited for a lock. */
  #leadsTo(at: number, second: number): boolean {
    const { trail } = this;
    if (trail.acquires[second]! < 0) return trail.before(at, second);
    const previous = trail.previous[second]!;
    const enabler = trail.enabledBy[second]!;
    return (previous >= 0 && trail.before(at, previous)) || (enabler >= 0 && trail.before(at, enabler));
  }

  #append(first: number, at: number, footprint: readonly number[] | null): void {
    const { trail } = this;
    const enabler = trail.dependence.enabling ? trail.enabledBy[at]! : -1;
    this.#position[at] = this.#sequence.length;
    this.#sequence.push(trail.task[at]!, footprint, enabler > first ? this.#position[enabler]! : -1);
  }

  /** Null: unknown. */
  #footprintOf(first: number, second: number): readonly number[] | null {
    const { trail } = this;
    if (trail.varies[second] !== true) return trail.footprint[second]!;
    if (this.#foresee === undefined) return null;
    return this.#foresee(first, [...this.#sequence.tasks, trail.task[second]!]);
  }
}
