import { Dependence } from "./dependence.js";
import type { Step } from "./strategy.js";

/**
 * The run so far: its steps, what happened before what, and the races in it. Steps are taken back from the end, so a
 * search that goes on from the middle of a run keeps everything before that. All in flat arrays, because a search does
 * this millions of times.
 *
 * A clock holds, per task, how many of its steps happened before or at a step. A race is a pair of steps of two tasks,
 * the later one directly after the earlier in happens-before, that could also have come the other way round: the earlier
 * one neither made the later's task able to run, nor does the later one wait for a lock that the earlier one's task held.
 */
export class Trail {
  length = 0;
  readonly dependence: Dependence;
  task = new Int32Array(64);
  enabledBy = new Int32Array(64);
  acquires = new Int32Array(64);
  /** Which step of its task a step is, from 1. */
  index = new Int32Array(64);
  /** The step before it of the same task, or -1. */
  previous = new Int32Array(64);
  readonly footprint: (readonly number[])[] = [];
  readonly varies: boolean[] = [];
  /** Steps that race with step i, the later ones first: from `races[firstRace(i)]` to before `races[firstRace(i + 1)]`. */
  readonly races: number[] = [];
  #raceCount = 0;
  #raceEnd = new Int32Array(64);
  #clocks = new Int32Array(64 * 8);
  #stride = 8;
  /** Per task its last step. */
  #last = new Int32Array(8).fill(-1);
  // Uses of objects: each knows the use of the same object before it, and the last writing one at or before it.
  #heads = new Int32Array(32).fill(-1);
  #uses = 0;
  readonly #useStep: number[] = [];
  readonly #useBefore: number[] = [];
  readonly #useWrite: number[] = [];
  readonly #useObject: number[] = [];
  #useEnd = new Int32Array(64);
  /** Per lock the step that took it last, and the one that gave it back last. */
  #takers = new Int32Array(32).fill(-1);
  #givers = new Int32Array(32).fill(-1);
  /** Per step the lock that it took or gave back, and the one who had done so before. */
  #handled = new Int32Array(64);
  #handledBefore = new Int32Array(64);
  #gave: boolean[] = [];
  readonly #candidates: number[] = [];
  #candidateCount = 0;
  readonly #hashes: boolean;
  #low = new Int32Array(65);
  #high = new Int32Array(65);

  /** @param hashes whether `form` is wanted */
  constructor(dependence: Dependence = new Dependence(), hashes = false) {
    this.dependence = dependence;
    this.#hashes = hashes;
  }

  /** Whether step `a` is `b` or happened before it. */
  before(a: number, b: number): boolean {
    return this.#clocks[b * this.#stride + this.task[a]!]! >= this.index[a]!;
  }

  /** Of step `at`: how many steps of `task` happened before or at it. */
  clock(at: number, task: number): number {
    return task < this.#stride ? this.#clocks[at * this.#stride + task]! : 0;
  }

  firstRace(step: number): number {
    return step === 0 ? 0 : this.#raceEnd[step - 1]!;
  }

  /**
   * A number that two runs of one program share if, and but for one chance in 2⁵³ only if, they are the same trace: the
   * same steps with the same clocks, in whatever order.
   */
  form(): number {
    const at = this.length;
    return (this.#high[at]! & 0x1fffff) * 0x1_0000_0000 + (this.#low[at]! >>> 0);
  }

  push(step: Step): void {
    const at = this.length++;
    const { task, footprint, enabledBy, acquires } = step;
    if (at >= this.task.length) this.#deepen();
    if (task >= this.#stride) this.#widen(task);
    this.task[at] = task;
    this.enabledBy[at] = enabledBy;
    this.acquires[at] = acquires;
    this.footprint[at] = footprint;
    this.varies[at] = step.varies === true;
    const previous = this.#last[task]!;
    this.previous[at] = previous;
    this.#last[task] = at;
    this.#raceCount = this.firstRace(at);
    const row = at * this.#stride;
    if (previous >= 0) this.#clocks.copyWithin(row, previous * this.#stride, (previous + 1) * this.#stride);
    else this.#clocks.fill(0, row, row + this.#stride);
    if (enabledBy >= 0 && this.dependence.enabling) this.#join(row, enabledBy);
    if (enabledBy === -2) for (const last of this.#last) if (last >= 0 && last !== at) this.#join(row, last);
    this.index[at] = ++this.#clocks[row + task]!;
    this.#handled[at] = -1;
    if (acquires >= 0 && this.dependence.lockLock) this.#waitedFor(row, acquires);
    if (acquires >= 0) this.#handle(at, acquires, false);
    else if (step.takes !== undefined && step.takes >= 0) this.#handle(at, step.takes, false);
    else if (step.releases !== undefined && step.releases >= 0) this.#handle(at, step.releases, true);
    this.#useAll(at, row, footprint);
    this.#raceEnd[at] = this.#raceCount;
    this.#useEnd[at] = this.#uses;
    if (this.#hashes) this.#hash(at, row, task);
  }

  /** Takes back all steps but the first `length`. */
  cutTo(length: number): void {
    while (this.length > length) {
      const at = --this.length;
      this.#last[this.task[at]!] = this.previous[at]!;
      const handled = this.#handled[at]!;
      if (handled >= 0) (this.#gave[at] ? this.#givers : this.#takers)[handled] = this.#handledBefore[at]!;
      const uses = at === 0 ? 0 : this.#useEnd[at - 1]!;
      for (let use = this.#uses - 1; use >= uses; use--)
        this.#heads[this.#useObject[use]!] = this.#useBefore[use]!;
      this.#uses = uses;
    }
  }

  #handle(at: number, lock: number, gave: boolean): void {
    if (lock >= this.#takers.length) {
      this.#takers = grown(this.#takers, lock + 1, -1);
      this.#givers = grown(this.#givers, lock + 1, -1);
    }
    const last = gave ? this.#givers : this.#takers;
    this.#handled[at] = lock;
    this.#gave[at] = gave;
    this.#handledBefore[at] = last[lock]!;
    last[lock] = at;
  }

  /**
   * Taking a lock that one has to wait for races with taking it the time before. What happened to the lock from then until
   * it was given back can't come after on its own; if it is still held, that is so for all that happened to it.
   */
  #waitedFor(row: number, lock: number): void {
    const taker = lock < this.#takers.length ? this.#takers[lock]! : -1;
    if (taker < 0) return;
    if (this.#clocks[row + this.task[taker]!]! < this.index[taker]!) this.races[this.#raceCount++] = taker;
    const giver = this.#givers[lock]!;
    if (giver > taker) this.#join(row, giver);
    else
      for (let use = this.#heads[lock]!; use >= 0; use = this.#useBefore[use]!)
        this.#join(row, this.#useStep[use]!);
  }

  #useAll(at: number, row: number, footprint: readonly number[]): void {
    const candidates = this.#candidates;
    this.#candidateCount = 0;
    for (let i = 0; i < footprint.length; i++) this.#record(at, footprint[i]!);
    const count = this.#candidateCount;
    // One object's come in order already.
    if (footprint.length > 1) sortDown(candidates, count);
    for (let i = 0; i < count; i++) this.#race(row, candidates[i]!);
  }

  /** Notes one use and appends the earlier steps it depends on, the later ones first. */
  #record(at: number, use: number): void {
    const object = use >> 1;
    const written = (use & 1) === 1;
    if (object >= this.#heads.length) this.#heads = grown(this.#heads, object + 1, -1);
    const head = this.#heads[object]!;
    const { dependence } = this;
    const skip = !dependence.lockLock && this.acquires[at] === object;
    if (!skip && head >= 0) {
      const lastWrite = this.#useWrite[head]!;
      if (written && dependence.readWrite)
        for (let use = head; use !== lastWrite; use = this.#useBefore[use]!)
          this.#candidates[this.#candidateCount++] = this.#useStep[use]!;
      if (lastWrite >= 0 && (written ? dependence.writeWrite : dependence.writeRead))
        this.#candidates[this.#candidateCount++] = this.#useStep[lastWrite]!;
    }
    const id = this.#uses++;
    this.#useStep[id] = at;
    this.#useBefore[id] = head;
    this.#useObject[id] = object;
    this.#useWrite[id] = written ? id : head >= 0 ? this.#useWrite[head]! : -1;
    this.#heads[object] = id;
  }

  #race(row: number, candidate: number): void {
    if (this.#clocks[row + this.task[candidate]!]! >= this.index[candidate]!) return;
    this.races[this.#raceCount++] = candidate;
    this.#join(row, candidate);
  }

  #join(row: number, step: number): void {
    const clocks = this.#clocks;
    const stride = this.#stride;
    for (let i = row, j = step * stride, end = row + stride; i < end; i++, j++)
      if (clocks[j]! > clocks[i]!) clocks[i] = clocks[j]!;
  }

  #hash(at: number, row: number, task: number): void {
    let low = Math.imul(task + 1, 0x9e3779b1);
    let high = Math.imul(task + 1, 0x85ebca77);
    for (let i = 0; i < this.#stride; i++) {
      const value = this.#clocks[row + i]!;
      if (value === 0) continue;
      const mixed = Math.imul(value * 0x101 + i + 1, 0xc2b2ae3d);
      low = Math.imul(low ^ mixed ^ (mixed >>> 15), 0x27d4eb2f);
      high = Math.imul(high ^ mixed ^ (mixed >>> 13), 0x165667b1);
      low ^= low >>> 14;
      high ^= high >>> 16;
    }
    this.#low[at + 1] = (this.#low[at]! + low) | 0;
    this.#high[at + 1] = (this.#high[at]! + high) | 0;
  }

  #deepen(): void {
    const size = this.task.length * 2;
    this.task = grown(this.task, size);
    this.enabledBy = grown(this.enabledBy, size);
    this.acquires = grown(this.acquires, size);
    this.index = grown(this.index, size);
    this.previous = grown(this.previous, size);
    this.#raceEnd = grown(this.#raceEnd, size);
    this.#useEnd = grown(this.#useEnd, size);
    this.#handled = grown(this.#handled, size);
    this.#handledBefore = grown(this.#handledBefore, size);
    this.#low = grown(this.#low, size + 1);
    this.#high = grown(this.#high, size + 1);
    this.#clocks = grown(this.#clocks, size * this.#stride);
  }

  #widen(task: number): void {
    const stride = Math.max(task + 1, this.#stride * 2);
    const clocks = new Int32Array(this.task.length * stride);
    for (let at = 0; at < this.length; at++)
      clocks.set(this.#clocks.subarray(at * this.#stride, (at + 1) * this.#stride), at * stride);
    this.#clocks = clocks;
    this.#stride = stride;
    this.#last = grown(this.#last, stride, -1);
  }
}

function grown(from: Int32Array, atLeast: number, fill = 0): Int32Array<ArrayBuffer> {
  const to = new Int32Array(Math.max(atLeast, from.length * 2));
  if (fill !== 0) to.fill(fill, from.length);
  to.set(from);
  return to;
}

function sortDown(numbers: number[], count: number): void {
  for (let i = 1; i < count; i++) {
    const number = numbers[i]!;
    let at = i;
    for (; at > 0 && numbers[at - 1]! < number; at--) numbers[at] = numbers[at - 1]!;
    numbers[at] = number;
  }
}
