/**
 * Questions about a ring that was looked at: each is answered with the fence's value once what had been published when it
 * was asked has been read. Positions are counts of bytes read; one that is a little too far (padding) is harmless.
 */
export class Doorbells {
  #waiting: Question[] = [];
  #reason: Error | undefined;

  get waiting(): number {
    return this.#waiting.length;
  }

  /** @param until what has to be read before the answer */
  ring(until: number): Promise<number> {
    if (this.#reason !== undefined) return Promise.reject(this.#reason);
    return new Promise((resolve, reject) => this.#waiting.push({ until, resolve, reject }));
  }

  /**
   * @param position Infinity when nothing is left to read
   * @param value the fence's, when all that was submitted is done
   */
  read(position: number, value: number): void {
    // In the order of their positions: what is published only grows.
    while (this.#waiting[0] !== undefined && this.#waiting[0].until <= position)
      this.#waiting.shift()?.resolve(value);
  }

  /** Whoever waits, now or later, hears `reason`. */
  end(reason: Error): void {
    this.#reason ??= reason;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#reason);
  }
}

interface Question {
  readonly until: number;
  readonly resolve: (value: number) => void;
  readonly reject: (reason: Error) => void;
}
