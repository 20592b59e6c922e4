/** Requests to one engine that await their reply. Each settles once: by the reply, by its deadline, or with the engine. */
import type { Clock, ClockTimer } from "parhelion-core";
import { HostError } from "../host-error.js";

interface Pending {
  readonly operation: string;
  readonly timer: ClockTimer | undefined;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class PendingRequests {
  readonly #clock: Clock;
  readonly #late: (operation: string) => void;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  #closed: Error | undefined;

  /** @param late told when a request missed its deadline, after it was rejected */
  constructor(clock: Clock, late: (operation: string) => void) {
    this.#clock = clock;
    this.#late = late;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** @param ms deadline; Infinity for a wait whose owner ends it by closing the engine or the queue */
  open<T>(operation: string, ms: number, send: (id: number) => void): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const id = ++this.#last;
    return new Promise<T>((resolve, reject) => {
      const timer = Number.isFinite(ms)
        ? this.#clock.setTimer(ms, () => {
            this.reject(id, silent(operation, ms));
            this.#late(operation);
          })
        : undefined;
      this.#pending.set(id, { operation, timer, resolve: resolve as (value: unknown) => void, reject });
      send(id);
    });
  }

  /** False when nobody waits for `id`: an answer after the deadline, or one that was never asked for. */
  resolve(id: number, value: unknown): boolean {
    const pending = this.#take(id);
    pending?.resolve(value);
    return pending !== undefined;
  }

  reject(id: number, error: Error): boolean {
    const pending = this.#take(id);
    pending?.reject(error);
    return pending !== undefined;
  }

  /** Every request now and later is rejected with `error`. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const id of [...this.#pending.keys()]) this.reject(id, error);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.timer?.cancel();
    return pending;
  }
}

function silent(operation: string, ms: number): HostError {
  return new HostError("engine-silent", `the engine did not answer ${operation} within ${ms} ms`, {
    details: { operation, ms },
  });
}
