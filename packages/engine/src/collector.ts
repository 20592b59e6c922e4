/**
 * Dawn frees a GPU object when the JavaScript object that stands for it is collected, but V8 sees an object of a few
 * bytes and is in no hurry. An application that drops buffers without destroying them would so fill the GPU. This
 * counts what was dropped and collects once it is worth a pause (some 4 ms with a small heap).
 */
import { setImmediate } from "node:timers";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { EngineLimits } from "./limits.js";

/** V8's collector; needs no `--expose-gc` on the command line. */
export function exposedCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** Whose memory it is that a collection frees. */
export interface MemoryOwner {
  /** Lets Dawn get to where it frees what is not used any more. */
  settle(): void;
}

export class Collector {
  readonly #collect: () => void;
  readonly #limits: EngineLimits;
  readonly #owners = new Set<MemoryOwner>();
  #bytes = 0;
  #objects = 0;
  #planned = false;
  #runs = 0;

  constructor(collect: () => void, limits: EngineLimits) {
    this.#collect = collect;
    this.#limits = limits;
  }

  /** Collections made so far. */
  get runs(): number {
    return this.#runs;
  }

  /** Objects that held `bytes` together lost their last names. */
  dropped(owner: MemoryOwner, bytes: number, objects = 1): void {
    this.#owners.add(owner);
    this.#bytes += bytes;
    this.#objects += objects;
  }

  /** Whether enough was dropped that new allocations should wait for a collection. */
  get due(): boolean {
    return this.#bytes >= this.#limits.droppedBytes || this.#objects >= this.#limits.droppedObjects;
  }

  /** Collects soon if it is due: not now, because the caller's frames may still hold what should go. */
  plan(): void {
    if (!this.due || this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.#bytes = 0;
      this.#objects = 0;
      this.#runs++;
      const owners = [...this.#owners];
      this.#owners.clear();
      this.#collect();
      // Finalizers run before the next round of immediates, and only then has Dawn something to free.
      setImmediate(() => {
        for (const owner of owners) owner.settle();
      });
    });
  }
}
