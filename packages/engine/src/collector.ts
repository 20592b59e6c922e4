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

/** Turns of the event loop that finalizers have. */
const FINALIZER_TURNS = 20;

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Whose memory it is that a collection frees. */
export interface MemoryOwner {
  /** Lets Dawn get to where it frees what is not used any more. Never rejects. */
  settle(): Promise<void>;
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
      void this.#run();
    });
  }

  /** Collects regardless of whether it is due. Resolves when what it found has been given back, but for what the GPU still uses. */
  async collectNow(): Promise<void> {
    await nextTurn();
    await this.#run();
  }

  async #run(): Promise<void> {
    this.#bytes = 0;
    this.#objects = 0;
    this.#runs++;
    const owners = [...this.#owners];
    this.#owners.clear();
    const finalized = this.#finalizersRun();
    this.#collect();
    await finalized;
    // Only now has Dawn something to free.
    for (const owner of owners) void owner.settle();
  }

  /** Something is dropped here, and with its finalizer those of all that was dropped before will have run. */
  async #finalizersRun(): Promise<void> {
    let state: "waiting" | "run" = "waiting";
    const registry = new FinalizationRegistry(() => {
      state = "run";
    });
    registry.register({}, undefined);
    // They usually run before the second turn; a collector that was replaced by nothing never runs them.
    for (let turn = 0; turn < FINALIZER_TURNS && state === "waiting"; turn++) await nextTurn();
    await nextTurn();
  }
}
