/**
 * A buffer is a few bytes to V8, which therefore does not hurry to collect those that a program dropped; the slice's memory runs
 * out meanwhile, although most of it is nobody's. So what this process holds is counted here, and when it is much of the slice and
 * much of that is new, the collector is called.
 */

export interface PressureSource {
  /** Bytes that the slice may use now, and what of them is in use, as last heard. */
  readonly memory: { readonly limit: number; readonly used: number };
}

export class MemoryPressure {
  readonly #slice: PressureSource;
  readonly #collectSoon: (then: () => void) => void;
  /** Bytes by the object's number. */
  readonly #held = new Map<number, number>();
  #live = 0;
  /** Held, and made since the collector was last called. */
  #fresh = 0;
  #state: "idle" | "collecting" = "idle";

  /** @param collectSoon collects after the current turn, calls `then` */
  constructor(slice: PressureSource, collectSoon: (then: () => void) => void) {
    this.#slice = slice;
    this.#collectSoon = collectSoon;
  }

  created(id: number, bytes: number): void {
    if (bytes === 0) return;
    this.#held.set(id, bytes);
    this.#live += bytes;
    this.#fresh += bytes;
    if (this.#state === "idle" && this.#pressing()) this.#collect();
  }

  /** Destroyed, or collected. */
  gone(id: number): void {
    const bytes = this.#held.get(id);
    if (bytes === undefined) return;
    this.#held.delete(id);
    this.#live -= bytes;
    this.#fresh = Math.max(0, this.#fresh - bytes);
  }

  #pressing(): boolean {
    const { limit, used } = this.#slice.memory;
    return this.#fresh > limit / 8 && (this.#live > limit / 2 || used > 0.75 * limit);
  }

  #collect(): void {
    this.#state = "collecting";
    this.#collectSoon(() => {
      this.#fresh = 0;
      this.#state = "idle";
    });
  }
}
