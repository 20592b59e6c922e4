import type { Dependence } from "./dependence.js";

/** A step to be taken, what it will touch, and what may follow it; the earlier a child, the sooner its turn. */
export interface WakeupNode {
  readonly task: number;
  /** Null: not known before it is taken. */
  readonly footprint: readonly number[] | null;
  readonly children: WakeupNode[];
}

/**
 * A sequence of steps that is to be taken from some state, as far as it is still to be found in a wakeup tree. Steps are
 * struck off where the tree already takes them.
 *
 * A last step's footprint may be unknown. Then it is taken to clash with everything but itself, so that the sequence is
 * rather planned once too often, and given up on the way, than left out.
 */
export class Sequence {
  readonly tasks: number[] = [];
  readonly footprints: (readonly number[] | null)[] = [];
  /** Position in the sequence of the step that made a step's task able to run, or -1. */
  readonly #enablers: number[] = [];
  readonly #struck: boolean[] = [];
  readonly #dependence: Dependence;
  #followed: WakeupNode[] = [];

  constructor(dependence: Dependence) {
    this.#dependence = dependence;
  }

  clear(): void {
    this.tasks.length = this.footprints.length = this.#enablers.length = this.#struck.length = 0;
  }

  push(task: number, footprint: readonly number[] | null, enabler: number): void {
    this.tasks.push(task);
    this.footprints.push(footprint);
    this.#enablers.push(enabler);
    this.#struck.push(false);
  }

  /**
   * Whether the sequence could as well begin with that step of `task`: because the task's first step in it depends on
   * none before it (answers its position), or because the task takes no step in it and its step depends on none of it
   * (answers `length`). Otherwise -1.
   */
  beginsWith(task: number, footprint: readonly number[] | null): number {
    const at = this.#firstOf(task);
    // The task's own next step from here is what it is, whoever tells.
    const theirs = at < this.tasks.length ? (this.footprints[at] ?? footprint) : footprint;
    const enabler = at < this.tasks.length ? this.#enablers[at]! : -1;
    for (let i = 0; i < at; i++) {
      if (this.#struck[i]) continue;
      if (i === enabler || this.#mayClash(this.footprints[i]!, theirs)) return -1;
    }
    return at;
  }

  #mayClash(earlier: readonly number[] | null, later: readonly number[] | null): boolean {
    return earlier === null || later === null || this.#dependence.clash(earlier, later);
  }

  get length(): number {
    return this.tasks.length;
  }

  /**
   * Hangs the sequence into a tree, below its `children`, unless what is there already leads to the same traces.
   * @returns the position in the sequence of the step that begins it there; `length` if one begins that is not in it
   */
  insertInto(children: WakeupNode[]): number {
    const first = this.#follow(children);
    if (first < 0) {
      this.#append(children);
      return 0;
    }
    let level = this.#followed;
    while (level.length > 0) {
      if (this.#follow(level) < 0) {
        this.#append(level);
        break;
      }
      level = this.#followed;
    }
    return first;
  }

  #append(children: WakeupNode[]): void {
    let level = children;
    for (let i = 0; i < this.tasks.length; i++) {
      if (this.#struck[i]) continue;
      const node: WakeupNode = { task: this.tasks[i]!, footprint: this.footprints[i]!, children: [] };
      level.push(node);
      level = node.children;
    }
  }

  /** Looks for a child that the sequence can begin with, and begins with it. */
  #follow(level: readonly WakeupNode[]): number {
    for (const node of level) {
      const at = this.beginsWith(node.task, node.footprint);
      if (at < 0) continue;
      if (at < this.tasks.length) this.#struck[at] = true;
      this.#followed = node.children;
      return at;
    }
    return -1;
  }

  #firstOf(task: number): number {
    for (let i = 0; i < this.tasks.length; i++) if (this.tasks[i] === task && !this.#struck[i]) return i;
    return this.tasks.length;
  }
}
