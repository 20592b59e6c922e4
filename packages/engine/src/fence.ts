/**
 * A queue's progress fence: how many of its submits the GPU has finished. Asking Dawn costs a promise and keeps the
 * event loop awake until it settles, so Dawn is asked only while somebody waits, and with one question at a time.
 */
export class ProgressFence {
  readonly #done: () => Promise<unknown>;
  readonly #onProgress: (completed: number) => void;
  readonly #waiters: Waiter[] = [];
  #submitted = 0;
  #completed = 0;
  #asked: "no" | "yes" | "ended" = "no";
  #reason: Error | undefined;

  /** @param done Dawn's `onSubmittedWorkDone` @param onProgress told each value that the fence reaches */
  constructor(done: () => Promise<unknown>, onProgress: (completed: number) => void = () => undefined) {
    this.#done = done;
    this.#onProgress = onProgress;
  }

  get submitted(): number {
    return this.#submitted;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** A lower bound: exact only after a wait. */
  get completed(): number {
    return this.#completed;
  }

  /** Called after each `submit`. */
  submit(): void {
    this.#submitted++;
    if (this.#waiters.length > 0) this.#ask();
  }

  /** Resolves with the fence's value once it is at least `value`, rejects when the queue ends first. */
  reach(value: number): Promise<number> {
    if (this.#completed >= value) return Promise.resolve(this.#completed);
    if (this.#reason !== undefined) return Promise.reject(this.#reason);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ value, resolve, reject });
      this.#ask();
    });
  }

  /** Dawn said by other means that everything submitted until `value` is done. */
  note(value: number): void {
    if (value <= this.#completed) return;
    this.#completed = value;
    this.#onProgress(value);
    const waiting = this.#waiters.splice(0);
    for (const waiter of waiting) {
      if (waiter.value <= value) waiter.resolve(value);
      else this.#waiters.push(waiter);
    }
  }

  /** No submit will finish any more: whoever waits hears `reason`. */
  end(reason: Error): void {
    this.#reason ??= reason;
    this.#asked = "ended";
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#reason);
  }

  #ask(): void {
    const covered = this.#submitted;
    if (this.#asked !== "no" || covered === this.#completed) return;
    this.#asked = "yes";
    this.#done().then(
      () => {
        if (this.#asked === "ended") return;
        this.#asked = "no";
        this.note(covered);
        if (this.#waiters.length > 0) this.#ask();
      },
      (error: unknown) => this.end(error instanceof Error ? error : new Error(String(error))),
    );
  }
}

interface Waiter {
  readonly value: number;
  readonly resolve: (value: number) => void;
  readonly reject: (reason: Error) => void;
}
