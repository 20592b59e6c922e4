import type { Dependence } from "./dependence.js";

/** What a step will touch; null: not known before it is taken. */
export type Footprint = readonly number[] | null;

/**
 * Steps to be taken one after the other, and what may follow them; the earlier a child, the sooner its turn. A wakeup tree
 * whose nodes with one child are drawn together, because most have one.
 */
export class Branch {
  readonly #tasks: readonly number[];
  readonly #footprints: readonly Footprint[];
  #from: number;
  #to: number;
  #children: Branch[];

  constructor(
    tasks: readonly number[],
    footprints: readonly Footprint[],
    from = 0,
    to = tasks.length,
    children: Branch[] = [],
  ) {
    this.#tasks = tasks;
    this.#footprints = footprints;
    this.#from = from;
    this.#to = to;
    this.#children = children;
  }

  /** The first step's task. */
  get task(): number {
    return this.#tasks[this.#from]!;
  }

  /** Takes the first step away. @returns what may follow it */
  advance(): Branch[] {
    if (++this.#from === this.#to) return this.#children;
    return [this];
  }

  /** Strikes the first step off a sequence, if that can begin with it. @returns as `Sequence.beginsWith` */
  begins(sequence: Sequence): number {
    return sequence.begin(this.#tasks[this.#from]!, this.#footprints[this.#from]!);
  }

  /** Follows a sequence that begins as this does. @returns where it is to go on; null: where nothing follows any more */
  follow(sequence: Sequence): Branch[] | null {
    for (let i = this.#from + 1; i < this.#to; i++) {
      if (sequence.begin(this.#tasks[i]!, this.#footprints[i]!) >= 0) continue;
      this.#children = [new Branch(this.#tasks, this.#footprints, i, this.#to, this.#children)];
      this.#to = i;
      break;
    }
    return this.#children.length === 0 ? null : this.#children;
  }
}

/**
 * A sequence of steps that is to be taken from some state, as far as it is still to be found in a wakeup tree. Steps are
 * struck off where the tree already takes them.
 *
 * A last step's footprint may be unknown. Then it is taken to clash with everything but itself, so that the sequence is
 * rather planned once too often, and given up on the way, than left out.
 */
export class Sequence {
  length = 0;
  readonly #tasks: number[] = [];
  readonly #footprints: Footprint[] = [];
  /** Position in the sequence of the step that made a step's task able to run, or -1. */
  readonly #enablers: number[] = [];
  readonly #struck: boolean[] = [];
  readonly #dependence: Dependence;

  constructor(dependence: Dependence) {
    this.#dependence = dependence;
  }

  /** The tasks, in order. */
  get tasks(): readonly number[] {
    return this.#tasks.slice(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  push(task: number, footprint: Footprint, enabler: number): void {
    const at = this.length++;
    this.#tasks[at] = task;
    this.#footprints[at] = footprint;
    this.#enablers[at] = enabler;
    this.#struck[at] = false;
  }

  /**
   * Whether the sequence could as well begin with that step of `task`: because the task's first step in it depends on
   * none before it (answers its position), or because the task takes no step in it and its step depends on none of it
   * (answers `length`). Otherwise -1.
   */
  beginsWith(task: number, footprint: Footprint): number {
    const { length } = this;
    let at = 0;
    while (at < length && (this.#tasks[at] !== task || this.#struck[at] === true)) at++;
    // The task's own next step from here is what it is, whoever tells.
    const theirs = at < length ? (this.#footprints[at] ?? footprint) : footprint;
    const enabler = at < length ? this.#enablers[at]! : -1;
    for (let i = 0; i < at; i++) {
      if (this.#struck[i] === true) continue;
      if (i === enabler || this.#mayClash(this.#footprints[i]!, theirs)) return -1;
    }
    return at;
  }

  /** The same, and strikes the step off. */
  begin(task: number, footprint: Footprint): number {
    const at = this.beginsWith(task, footprint);
    if (at >= 0 && at < this.length) this.#struck[at] = true;
    return at;
  }

  /**
   * Hangs the sequence into a tree, unless what is there already leads to the same traces.
   * @returns the position in the sequence of the step that begins it there; `length` if one begins that is not in it
   */
  insertInto(tree: Branch[]): number {
    let first = -1;
    for (let level: Branch[] | null = tree; level !== null; ) {
      let next: Branch | undefined;
      for (const branch of level) {
        const at = branch.begins(this);
        if (at < 0) continue;
        if (first < 0) first = at;
        next = branch;
        break;
      }
      if (next === undefined) {
        level.push(this.rest());
        break;
      }
      level = next.follow(this);
    }
    return first < 0 ? 0 : first;
  }

  /** Whether one of the branches begins with one of the first `length` steps, which the sequence could begin with too. */
  beginsOneOf(branches: readonly Branch[], length: number): boolean {
    for (const branch of branches) {
      const at = this.beginsWith(branch.task, null);
      if (at >= 0 && at < length) return true;
    }
    return false;
  }

  task(at: number): number {
    return this.#tasks[at]!;
  }

  footprint(at: number): Footprint {
    return this.#footprints[at]!;
  }

  /** What is not struck off. */
  rest(): Branch {
    const tasks: number[] = [];
    const footprints: Footprint[] = [];
    for (let i = 0; i < this.length; i++) {
      if (this.#struck[i] === true) continue;
      tasks.push(this.#tasks[i]!);
      footprints.push(this.#footprints[i]!);
    }
    return new Branch(tasks, footprints);
  }

  #mayClash(earlier: Footprint, later: Footprint): boolean {
    return earlier === null || later === null || this.#dependence.clash(earlier, later);
  }
}
