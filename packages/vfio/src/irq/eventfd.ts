/** What an interrupt is signalled through: a counter that somebody waits for, a descriptor, or whatever else can be told. */
import { KernelError, type Named, type Runtime, type WaitOptions, WaitQueue } from "parhelion-core";

export interface Eventfd {
  /** Adds to the counter. Must neither wait nor throw. */
  signal(count: number): void;
  /** The device lets go of it: the last call. */
  release?(): void;
}

/** An eventfd of this process: what was signalled adds up until somebody takes it (fs/eventfd.c). */
export class EventCounter implements Eventfd, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #signalled: WaitQueue;
  #count = 0;
  #holders: "held" | "released" = "held";

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
    this.#signalled = new WaitQueue(runtime, `signal of ${name}`);
  }

  /** What was signalled and nobody has taken. */
  get count(): number {
    this.#runtime.scheduler.access(this, "read");
    return this.#count;
  }

  /** Whether the device that it was given to has let go of it. */
  get state(): "held" | "released" {
    this.#runtime.scheduler.access(this, "read");
    return this.#holders;
  }

  signal(count: number): void {
    this.#runtime.scheduler.access(this, "write");
    this.#count += count;
    this.#signalled.wake();
  }

  release(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#holders = "released";
  }

  /** Takes all that was signalled, at least one. @throws KernelError EAGAIN nothing was */
  take(): number {
    this.#runtime.scheduler.access(this, "write");
    const count = this.#count;
    if (count === 0) throw new KernelError("EAGAIN", `${this.name} was not signalled`);
    this.#count = 0;
    return count;
  }

  /** Waits until something is signalled, and takes it. @throws KernelError ETIMEDOUT */
  async wait(options?: WaitOptions): Promise<number> {
    for (;;) {
      await this.#signalled.wait(() => this.#count > 0, options);
      if (this.count > 0) return this.take();
    }
  }
}
