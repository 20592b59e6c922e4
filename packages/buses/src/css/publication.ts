/**
 * Whether a subchannel's driver can be called back, and with what. Both change under the subchannel's lock, which every
 * callback holds or has held when it found its driver; so there is no callback before the driver has what it needs, and
 * none is left when `withdraw` returns.
 */
import { type Named, noDeadline, type Runtime, type SpinLock, WaitQueue } from "parhelion-core";
import type { CssCallbacks } from "./callbacks.js";

export class Publication implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #lock: SpinLock;
  readonly #idle: WaitQueue;
  #published: CssCallbacks | null = null;
  /** Callbacks that run without the lock. */
  #running = 0;
  /** Whether something came that nobody was there for. */
  #missed: "nothing" | "something" = "nothing";

  constructor(runtime: Runtime, name: string, lock: SpinLock) {
    this.#runtime = runtime;
    this.name = `publication of ${name}`;
    this.#lock = lock;
    this.#idle = new WaitQueue(runtime, `callbacks of ${name}`);
  }

  /** For the device's own probe and remove, beside which nobody changes it, and for callbacks. */
  get published(): boolean {
    this.#uses("load");
    return this.#published !== null;
  }

  /** @returns whether something was missed until now */
  async publish(published: CssCallbacks): Promise<"nothing" | "something"> {
    return this.#lock.withLock(
      () => {
        this.#uses("store");
        this.#published = published;
        return this.#miss("nothing");
      },
      { deadline: noDeadline },
    );
  }

  /** Not from a callback. Without effect when nothing is published. */
  async withdraw(): Promise<void> {
    await this.#lock.withLock(
      () => {
        this.#uses("store");
        this.#published = null;
      },
      { deadline: noDeadline },
    );
    await this.#idle.wait(() => this.#running === 0, { deadline: noDeadline });
  }

  /** For a callback; null notes that it was missed. Precondition: the caller holds the lock, to the callback's end. */
  underLock(): CssCallbacks | null {
    this.#uses("load");
    if (this.#published === null) this.#miss("something");
    return this.#published;
  }

  /** Runs a callback without the lock. @returns null, and it is noted as missed, when nothing is published */
  async outsideLock<T>(callback: (published: CssCallbacks) => T | Promise<T>): Promise<T | null> {
    const published = await this.#lock.withLock(
      () => {
        const found = this.underLock();
        if (found !== null) this.#count(1);
        return found;
      },
      { deadline: noDeadline },
    );
    if (published === null) return null;
    try {
      return await callback(published);
    } finally {
      await this.#runtime.scheduler.yield("css.callback-done", this);
      this.#count(-1);
    }
  }

  /** @returns what it was */
  #miss(missed: "nothing" | "something"): "nothing" | "something" {
    this.#runtime.scheduler.access({ name: `missed: ${this.name}` }, "store");
    const before = this.#missed;
    this.#missed = missed;
    return before;
  }

  #count(step: 1 | -1): void {
    this.#runtime.scheduler.access(this.#idle, "write");
    this.#running += step;
    if (this.#running === 0) this.#idle.wake();
  }

  #uses(mode: "load" | "store"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
