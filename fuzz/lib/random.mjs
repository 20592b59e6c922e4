/** Small, fast and repeatable: a run is named by its seed (xorshift32, Marsaglia 2003). */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0 || 0x9e3779b9;
  }

  uint32() {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** 0 … bound - 1. */
  below(bound) {
    return bound <= 1 ? 0 : this.uint32() % bound;
  }

  chance(oneIn) {
    return this.below(oneIn) === 0;
  }

  pick(list) {
    return list[this.below(list.length)];
  }
}
