/**
 * Whether a run that will not end gets anywhere. Tasks that start or end, log records, and values that a variable has not
 * had before are progress; taking and giving back locks, and the same few values over and over, are not.
 */
export class Progress {
  #values: Set<string> | null = null;
  #state: "idle" | "watching" = "idle";
  #steps = 0;
  #latest = 0;

  /** Before this nothing is kept. */
  watch(): void {
    this.#state = "watching";
  }

  /** A step of the tasks begins. */
  step(number: number): void {
    this.#steps = number;
  }

  /** The step of the last progress; 0 when there was none. */
  get latest(): number {
    return this.#latest;
  }

  made(): void {
    if (this.#state === "watching") this.#latest = this.#steps;
  }

  /** `name` was given a value. */
  became(name: string, value: unknown): void {
    if (this.#state === "idle") return;
    const key = typeof value === "object" ? null : `${name} ${typeof value} ${String(value)}`;
    this.#values ??= new Set();
    // An object may say anything.
    if (key !== null && this.#values.has(key)) return;
    if (key !== null) this.#values.add(key);
    this.made();
  }
}
