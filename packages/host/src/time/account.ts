/**
 * What one slice has had of its adapter's time. Virtual time is service divided by the slice's part: whoever has the least is
 * owed the most. The cap is a bucket that fills at the capped rate and that running empties.
 */
export class Account {
  /** Service in ms over the slice's part. */
  virtual = 0;
  /** Since the slice was made, in ms: time during which its engine held the adapter or would not let go of it. */
  chargedMs = 0;
  /** When the slice's engine was given the adapter, undefined while it has not got it. */
  #since: number | undefined;
  #part = 1;
  #cap = 1;
  readonly #windowMs: number;
  #allowance: number;
  #filledAt: number;

  constructor(windowMs: number, now: number) {
    this.#windowMs = windowMs;
    this.#allowance = windowMs;
    this.#filledAt = now;
  }

  get cap(): number {
    return this.#cap;
  }

  /** What was used until now is charged at the old terms. */
  change(now: number, part: number, cap: number): void {
    this.settle(now);
    this.#part = part;
    this.#cap = cap;
    this.#allowance = Math.min(this.#allowance, this.#full);
  }

  begin(now: number): void {
    this.#fill(now);
    this.#since = now;
  }

  /** @returns how long it ran since it was settled last, in ms */
  settle(now: number): number {
    this.#fill(now);
    if (this.#since === undefined) return 0;
    const ms = Math.max(0, now - this.#since);
    this.#since = now;
    this.chargedMs += ms;
    this.virtual += ms / this.#part;
    if (this.#cap < 1) this.#allowance -= ms;
    return ms;
  }

  end(now: number): void {
    this.settle(now);
    this.#since = undefined;
  }

  /** Until the cap lets it run, in ms; 0: now. It may run when there is room for a run worth the change. */
  waitMs(now: number, worthMs: number): number {
    if (this.#cap >= 1) return 0;
    this.#fill(now);
    return Math.max(0, (Math.min(worthMs, this.#full) - this.#allowance) / this.#cap);
  }

  /** How long it may run from now on before the cap stops it, in ms. */
  roomMs(now: number): number {
    if (this.#cap >= 1) return Number.POSITIVE_INFINITY;
    this.settle(now);
    return Math.max(0, this.#allowance / (1 - this.#cap));
  }

  get #full(): number {
    return this.#cap * this.#windowMs;
  }

  #fill(now: number): void {
    this.#allowance = Math.min(this.#full, this.#allowance + this.#cap * (now - this.#filledAt));
    this.#filledAt = now;
  }
}
