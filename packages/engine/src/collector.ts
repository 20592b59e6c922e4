/**
 * Dawn frees a GPU object when the JavaScript object that stands for it is collected, but V8 sees an object of a few
 * bytes and is in no hurry. An application that drops buffers without destroying them would so fill the GPU. This
 * counts what was dropped and collects once it is worth a pause (some 4 ms with a small heap).
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { EngineLimits } from "./limits.js";

/** V8's collector; needs no `--expose-gc` on the command line. */
export function exposedCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

export class Collector {
  readonly #collect: () => void;
  readonly #limits: EngineLimits;
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
  dropped(bytes: number, objects = 1): void {
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
      this.#collect();
    });
  }
}
