/**
 * What must hold between any two steps, and what that looks at. Two steps that change something of it are not independent,
 * whatever else they do: a search that took only one order of them would miss what lies in between.
 *
 * One object serves all runs of a search; what is looked at is known from the runs before. An invariant may look further
 * in some states than in others, so a search may learn of that too late, when it has taken steps that change it for
 * independent.
 */
import type { ControlledScheduler } from "./controlled-scheduler.js";
import type { Names } from "./objects.js";

export interface Lookout {
  /** The same in every run. */
  readonly name: string;
  readonly look: () => void;
}

export class Lookouts {
  readonly #objects: Names;
  readonly #seen = new Map<string, Set<number>>();
  /** Per lookout what steps have changed while it was not known to be looked at. */
  readonly #missed = new Map<string, Set<number>>();

  constructor(objects: Names) {
    this.#objects = objects;
  }

  look(lookouts: readonly Lookout[], scheduler: ControlledScheduler): void {
    for (const { name, look } of lookouts) {
      if (scheduler.failure !== null) return;
      let seen = this.#seen.get(name);
      if (seen === undefined) {
        seen = new Set();
        this.#seen.set(name, seen);
        this.#missed.set(name, new Set());
      }
      scheduler.unwatched(look, seen);
    }
  }

  /** With a change of each thing that is looked at and of which the step changes a part. */
  extend(footprint: readonly number[]): readonly number[] {
    let extended: number[] | null = null;
    for (const [name, seen] of this.#seen) {
      const missed = this.#missed.get(name) as Set<number>;
      let looked = false;
      for (const use of footprint) {
        if ((use & 1) === 0) continue;
        if (seen.has(use >> 1)) looked = true;
        else missed.add(use >> 1);
      }
      if (!looked) continue;
      extended ??= [...footprint];
      extended.push(this.#objects.number(`what always holds: ${name}`) * 2 + 1);
    }
    return extended ?? footprint;
  }

  /** Whether steps since the last call were taken for independent of an invariant that turned out to look at what they change. */
  learnedTooLate(): boolean {
    let late = false;
    for (const [name, seen] of this.#seen) {
      const missed = this.#missed.get(name) as Set<number>;
      for (const object of missed) if (seen.has(object) && missed.delete(object)) late = true;
    }
    return late;
  }
}
