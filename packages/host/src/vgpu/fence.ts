/** What fence waits wait for: values that only grow. */
import type { Named, Runtime } from "parhelion-core";
import { NtStatus } from "parhelion-protocol";
import type { EngineProcess } from "../engines/engine-process.js";
import type { Answer } from "../engines/pending-requests.js";
import { CommandError } from "./command-error.js";

export interface Fence {
  /**
   * Answers, with what the fence has reached, when that is `value` or more; now when it is already. With an error when it never
   * will be. @returns gives it up
   */
  watch(value: bigint, answer: Answer<void>): () => void;
}

interface Watcher {
  readonly value: bigint;
  readonly answer: Answer<void>;
}

/** A fence that processors set. */
export class MonitoredFence implements Fence, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #watchers = new Set<Watcher>();
  #value: bigint;

  constructor(runtime: Runtime, name: string, initial: bigint) {
    this.#runtime = runtime;
    this.name = name;
    this.#value = initial;
  }

  get value(): bigint {
    this.#access("read");
    return this.#value;
  }

  /** @throws CommandError INVALID_PARAMETER when the value would go back */
  assertCanSet(value: bigint): void {
    this.#access("read");
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
    this.#access("write");
    this.#value = value;
    for (const watcher of [...this.#watchers]) {
      if (watcher.value > value) continue;
      this.#watchers.delete(watcher);
      watcher.answer.value();
    }
  }

  watch(value: bigint, answer: Answer<void>): () => void {
    this.#access("write");
    const watcher = { value, answer };
    if (this.#value >= value) answer.value();
    else this.#watchers.add(watcher);
    return () => {
      this.#access("write");
      this.#watchers.delete(watcher);
    };
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

/** A queue's count of completed submits; the engine moves it. */
export class ProgressFence implements Fence, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #engine: EngineProcess;
  readonly #queue: number;
  /** By value; each settles at the latest when its queue or its engine ends. */
  readonly #asked = new Map<number, Set<Answer<void>>>();

  constructor(runtime: Runtime, engine: EngineProcess, queue: number) {
    this.#runtime = runtime;
    this.name = `progress of queue ${queue}`;
    this.#engine = engine;
    this.#queue = queue;
  }

  /** One question for all who wait for a value: the engine can't be told that one of them has given up. */
  watch(value: bigint, answer: Answer<void>): () => void {
    this.#access("write");
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      answer.error(new CommandError(NtStatus.INVALID_PARAMETER, `no queue completes ${value} submits`));
      return () => undefined;
    }
    const asked = this.#asked.get(Number(value));
    const watchers = asked ?? new Set();
    watchers.add(answer);
    if (asked === undefined) this.#ask(Number(value), watchers);
    return () => {
      this.#access("write");
      watchers.delete(answer);
    };
  }

  /** The engine looks at the queue's ring now; the answer is the value to watch for all that it finds. @returns gives it up */
  submit(answer: Answer<number>): () => void {
    return this.#engine.submit(this.#queue, answer);
  }

  #ask(value: number, watchers: Set<Answer<void>>): void {
    this.#asked.set(value, watchers);
    const settle = (tell: (answer: Answer<void>) => void): void => {
      this.#access("write");
      this.#asked.delete(value);
      for (const answer of [...watchers]) tell(answer);
      watchers.clear();
    };
    this.#engine.waitFence(this.#queue, value, {
      value: () => settle((answer) => answer.value()),
      error: (error) => settle((answer) => answer.error(error)),
    });
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
