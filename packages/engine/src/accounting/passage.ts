/**
 * What one device's GPU work has yet to pass: bytes of writes and commands that are in flight, and memory that is free once all
 * work recorded so far is done (staging, and what was destroyed while the GPU may still read it). It collects in a bucket that is
 * sealed with each submit; when the GPU has passed a submit, its bucket is emptied, and all before it. Staging lasts one pass longer: what Dawn
 * finds unused when the GPU has come so far it gives back when the GPU has come further.
 */

interface Bucket {
  /** How many submits cover it. */
  readonly submit: number;
  flight: number;
  memory: number;
  staging: number;
}

/** What the GPU has passed. */
export interface Passed {
  readonly flight: number;
  readonly memory: number;
}

const nothing: Passed = { flight: 0, memory: 0 };

export class Passage {
  #open: Bucket | undefined;
  readonly #sealed: Bucket[] = [];
  #flight = 0;
  #staging = 0;
  /** Of `#staging`, what the GPU passed last. */
  #unused = 0;

  /** Bytes of writes and commands. */
  get flight(): number {
    return this.#flight;
  }

  /** Bytes of writes that Dawn has not given back. */
  get staging(): number {
    return this.#staging;
  }

  get state(): "empty" | "waiting" {
    return this.#open === undefined && this.#sealed.length === 0 && this.#unused === 0 ? "empty" : "waiting";
  }

  /** Data of a write, which is staged. */
  write(bytes: number): void {
    this.#bucket().flight += bytes;
    this.#bucket().staging += bytes;
    this.#flight += bytes;
    this.#staging += bytes;
  }

  /** Recorded commands. */
  record(bytes: number): void {
    this.#bucket().flight += bytes;
    this.#flight += bytes;
  }

  /** Memory that nothing will use which comes from now on. */
  leave(bytes: number): void {
    this.#bucket().memory += bytes;
  }

  /**
   * All that has come until now is covered by submit number `submit`.
   * @returns what to give to `pass` when the GPU has passed it
   */
  seal(submit: number): object | undefined {
    // What is unused goes with the next submit, whatever that is.
    if (this.#unused > 0) this.#bucket();
    if (this.#open !== undefined) {
      this.#sealed.push(this.#open.submit === submit ? this.#open : { ...this.#open, submit });
      this.#open = undefined;
    }
    return this.#sealed.at(-1);
  }

  /** The GPU has passed submit number `submit`. */
  passSubmit(submit: number): Passed {
    let count = 0;
    while (count < this.#sealed.length && (this.#sealed[count] as Bucket).submit <= submit) count += 1;
    return this.#empty(count);
  }

  /** The GPU has passed what `seal` returned. */
  pass(mark: object | undefined): Passed {
    return mark === undefined ? nothing : this.#empty(this.#sealed.indexOf(mark as Bucket) + 1);
  }

  /** The device is gone, and nothing is in flight any more. */
  passAll(): Passed {
    this.seal(0);
    return this.#empty(this.#sealed.length);
  }

  #bucket(): Bucket {
    this.#open ??= { submit: 0, flight: 0, memory: 0, staging: 0 };
    return this.#open;
  }

  #empty(count: number): Passed {
    if (count === 0) return nothing;
    const sum = { flight: 0, memory: 0 };
    this.#staging -= this.#unused;
    this.#unused = 0;
    for (const { flight, memory, staging } of this.#sealed.splice(0, count)) {
      sum.flight += flight;
      sum.memory += memory;
      this.#unused += staging;
    }
    this.#flight -= sum.flight;
    return sum;
  }
}
