/** What an interrupt is signalled through: a counter that somebody waits for, a descriptor, or whatever else can be told. */
import { KernelError, type Named, type Runtime, type WaitOptions, WaitQueue } from "parhelion-core";

export interface Eventfd {
  /** Adds to the counter. Must neither wait nor throw. */
  signal(count: number): void;
  /** The device lets go of it: the last call. */
  release?(): void;
  /**
   * Takes whatever is signalled, what was before included, and calls `heard` for it, some time later. Absent: it is for signals of
   * the device alone. Must neither wait nor throw.
   * @returns ends it
   */
  listen?(heard: () => void): () => void;
}

interface Listener {
  readonly heard: () => void;
  /** Of all that was signalled. */
  told: "yes" | "not yet";
}

/** An eventfd of this process: what was signalled adds up until somebody takes it (fs/eventfd.c). */
export class EventCounter implements Eventfd, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #signalled: WaitQueue;
  #count = 0;
  #holders: "held" | "released" = "held";
  #listener: Listener | null = null;

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
    this.#tell();
  }

  release(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#holders = "released";
  }

  /** One listens at a time: the last one. */
  listen(heard: () => void): () => void {
    this.#runtime.scheduler.access(this, "write");
    const mine: Listener = { heard, told: "yes" };
    this.#holders = "held";
    this.#listener = mine;
    this.#tell();
    return () => {
      this.#runtime.scheduler.access(this, "write");
      if (this.#listener === mine) this.#listener = null;
    };
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

  /** Not from within `signal`: what is heard may make the device signal once more. */
  #tell(): void {
    const listener = this.#listener;
    if (listener === null || listener.told === "not yet" || this.#count === 0) return;
    listener.told = "not yet";
    this.#runtime.scheduler.spawn(`listener of ${this.name}`, async () => {
      listener.told = "yes";
      if (this.#listener !== listener || this.count === 0) return;
      this.take();
      listener.heard();
    });
  }
}
