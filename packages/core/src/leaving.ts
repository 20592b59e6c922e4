/**
 * Who is told that a device is about to be taken from its driver, or removed, before any lock is taken for it. A driver
 * whose device somebody outside uses can't wait for them in its remove, which runs with the lock held; whoever asks them to
 * let go does so here, where waiting keeps nobody.
 */
import type { Device } from "./device.js";
import type { Runtime } from "./runtime.js";
import { invoke } from "./sync/call.js";
import type { Named } from "./sync/scheduler.js";

/**
 * Called with the devices that go together. May wait, but should not beyond the deadline (ms on the runtime's clock): then
 * whoever takes them gives up. An error is logged as `leaving.failed`.
 * @returns what is called when they have gone, or when that has failed
 */
export type LeaveTaking = (
  devices: readonly Device[],
  deadline: number,
  // biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to say afterwards
) => (() => void) | void | Promise<(() => void) | void>;

export class Leaving implements Named {
  readonly name = "leave-takings";
  readonly #runtime: Runtime;
  /** By subscription: one function can be there twice. */
  readonly #told = new Set<{ readonly take: LeaveTaking }>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get empty(): boolean {
    return this.#told.size === 0;
  }

  /** Has `take` called from here on. @returns a function that ends it */
  listen(take: LeaveTaking): () => void {
    const subscription = { take };
    this.#runtime.scheduler.access(this, "write");
    this.#told.add(subscription);
    return () => {
      this.#runtime.scheduler.access(this, "write");
      this.#told.delete(subscription);
    };
  }

  /** Tells everybody, then has the devices go. Without listeners it is the operation and nothing else. */
  async during<T>(going: () => readonly Device[], deadline: number, operation: () => Promise<T>): Promise<T> {
    if (this.empty) return operation();
    const devices = going();
    const gone: (() => void)[] = [];
    for (const { take } of [...this.#told]) {
      try {
        const then = await invoke(this.#runtime, "leaving", this, () => take(devices, deadline));
        if (then !== undefined) gone.push(then);
      } catch (error) {
        this.#runtime.log("error", "leaving.failed", {
          devices: devices.map(({ devpath }) => devpath),
          error,
        });
      }
    }
    try {
      return await operation();
    } finally {
      for (const then of gone) then();
    }
  }
}
