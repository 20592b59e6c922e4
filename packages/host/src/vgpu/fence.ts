/** What fence waits wait for: values that only grow. */
import { NtStatus } from "parhelion-protocol";
import type { EngineProcess } from "../engines/engine-process.js";
import { CommandError } from "./command-error.js";

export interface Fence {
  /** Resolves when the fence has reached `value`; rejects with the signal's reason, or when it never will. */
  reach(value: bigint, signal: AbortSignal): Promise<void>;
}

/** A fence that processors set. */
export class MonitoredFence implements Fence {
  #value: bigint;
  readonly #waiters = new Set<{ readonly value: bigint; done(): void }>();

  constructor(initial: bigint) {
    this.#value = initial;
  }

  get value(): bigint {
    return this.#value;
  }

  /** @throws CommandError INVALID_PARAMETER when the value would go back */
  assertCanSet(value: bigint): void {
    if (value < this.#value) {
      throw new CommandError(
        NtStatus.INVALID_PARAMETER,
        `the fence is at ${this.#value}, ${value} is behind it`,
      );
    }
  }

  /** @throws CommandError INVALID_PARAMETER when the value would go back */
  set(value: bigint): void {
    this.assertCanSet(value);
    this.#value = value;
    for (const waiter of [...this.#waiters]) if (waiter.value <= value) waiter.done();
  }

  reach(value: bigint, signal: AbortSignal): Promise<void> {
    if (this.#value >= value) return Promise.resolve();
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter);
        signal.removeEventListener("abort", abort);
      };
      const abort = () => {
        leave();
        reject(signal.reason);
      };
      const waiter = {
        value,
        done: () => {
          leave();
          resolve();
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", abort, { once: true });
    });
  }
}

/** A queue's count of completed submits; the engine moves it. */
export class ProgressFence implements Fence {
  readonly #engine: EngineProcess;
  readonly #queue: number;
  /** By value; each settles at the latest when its queue or its engine ends. */
  readonly #asked = new Map<number, Promise<number>>();

  constructor(engine: EngineProcess, queue: number) {
    this.#engine = engine;
    this.#queue = queue;
  }

  async reach(value: bigint, signal: AbortSignal): Promise<void> {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new CommandError(NtStatus.INVALID_PARAMETER, `no queue completes ${value} submits`);
    }
    await orAborted(this.#reach(Number(value)), signal);
  }

  /** For all who wait for this value: the engine can't be told that one of them has given up. */
  #reach(value: number): Promise<number> {
    const known = this.#asked.get(value);
    if (known !== undefined) return known;
    const asked = this.#engine.waitFence(this.#queue, value).finally(() => this.#asked.delete(value));
    this.#asked.set(value, asked);
    return asked;
  }

  /** The engine looks at the queue's ring now. @returns the value to `reach` for all that it finds there */
  async submit(signal: AbortSignal): Promise<bigint> {
    return BigInt(await this.#engine.submit(this.#queue, signal));
  }
}

/** As `promise`, unless the signal is aborted first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
