/** Requests to one engine that await their reply. Each settles once: by the reply, by its deadline, or with the engine. */
import { Completion, isKernelError, type Named, type Runtime } from "parhelion-core";
import { HostError } from "../host-error.js";

/** Who asked. One of the two is called, once, unless the request is given up before. Neither waits. */
export interface Answer<T> {
  value(value: T): void;
  error(error: unknown): void;
}

export class PendingRequests implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #late: (operation: string) => void;
  readonly #pausedMs: () => number;
  readonly #pending = new Map<number, Answer<unknown>>();
  #last = 0;
  #closed: Error | undefined;

  /**
   * @param late told of a request of `open` that missed its deadline, before it rejects
   * @param pausedMs how long whoever answers was kept from answering until now, in ms: deadlines stand still meanwhile
   */
  constructor(
    runtime: Runtime,
    name: string,
    late: (operation: string) => void,
    pausedMs: () => number = () => 0,
  ) {
    this.#runtime = runtime;
    this.name = name;
    this.#late = late;
    this.#pausedMs = pausedMs;
  }

  /** A request whose owner bounds it. @returns gives it up: a later answer is for nobody */
  ask<T>(answer: Answer<T>, send: (id: number) => void): () => void {
    this.#access("write");
    if (this.#closed !== undefined) {
      answer.error(this.#closed);
      return () => undefined;
    }
    const id = ++this.#last;
    this.#pending.set(id, answer as Answer<unknown>);
    send(id);
    return () => {
      this.#take(id);
    };
  }

  /** @param ms deadline. @throws HostError engine-silent, and what `reject` and `close` were given */
  async open<T>(operation: string, ms: number, send: (id: number) => void): Promise<T> {
    const begun = this.#runtime.clock.now();
    const pausedBefore = this.#pausedMs();
    const reply = new Completion<T>(this.#runtime, `${operation} of ${this.name}`);
    const answer = {
      value: (value: T) => reply.completeAll(value),
      error: (error: unknown) => reply.fail(error),
    };
    const giveUp = this.ask(answer, send);
    for (let deadline = begun + ms; ; ) {
      try {
        return await reply.wait({ deadline });
      } catch (error) {
        if (!isKernelError(error, "ETIMEDOUT")) throw error;
      }
      const extended = begun + ms + Math.max(0, this.#pausedMs() - pausedBefore);
      if (extended <= deadline) break;
      deadline = extended;
    }
    giveUp();
    this.#late(operation);
    throw silent(operation, ms);
  }

  /** Without effect when nobody waits for `id`: an answer after the deadline, or one that was never asked for. */
  resolve(id: number, value: unknown): void {
    this.#take(id)?.value(value);
  }

  reject(id: number, error: Error): void {
    this.#take(id)?.error(error);
  }

  /** Every request now and later is rejected with `error`. */
  close(error: Error): void {
    this.#access("write");
    this.#closed ??= error;
    for (const id of [...this.#pending.keys()]) this.reject(id, error);
  }

  #take(id: number): Answer<unknown> | undefined {
    this.#access("write");
    const answer = this.#pending.get(id);
    this.#pending.delete(id);
    return answer;
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

function silent(operation: string, ms: number): HostError {
  return new HostError("engine-silent", `the engine did not answer ${operation} within ${ms} ms`, {
    details: { operation, ms },
  });
}
