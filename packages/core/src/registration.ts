/**
 * The second of two counters (after drivers/vfio/vfio_main.c). A `Refcount` says who can still reach an object's
 * memory; a registration says who still uses what the object stands for. Memory may outlive the registration, users may
 * not: whoever takes the object away waits for them, and asks them to leave.
 */
import { BugError, isKernelError, KernelError } from "./error.js";
import { deadlineOf, type Runtime, type WaitOptions } from "./runtime.js";
import { invoke } from "./sync/call.js";
import { Completion } from "./sync/completion.js";
import type { Named } from "./sync/scheduler.js";
import { WaitQueue } from "./sync/wait-queue.js";

export interface UnregisterOptions extends WaitOptions {
  /**
   * Asks the users to leave: at once if there are any, then every `requestPeriodMs` while there still are and the call
   * before has ended. It runs beside the waiting, which it does not prolong beyond the deadline. An error is logged as
   * `registration.request-failed`. @param count how often it was called before
   */
  request?(count: number): void | Promise<void>;
}

/** As long as VFIO waits between two requests. */
export const requestPeriodMs = 10_000;

export class Registration implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #idle: WaitQueue;
  #state: "registered" | "unregistering" = "registered";
  #users = 0;

  /** Users can come from here on: what they need exists. */
  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
    this.#idle = new WaitQueue(runtime, `users of ${name}`);
  }

  get state(): "registered" | "unregistering" {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  /** How many there are at this moment. */
  get users(): number {
    this.#runtime.scheduler.access(this, "read");
    return this.#users;
  }

  /** Begins a use, to be ended by `put`. False once `unregister` has been called: answer ENODEV. */
  tryGet(): boolean {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state !== "registered") return false;
    this.#users += 1;
    return true;
  }

  /** @throws BugError refcount-underflow when there is no use to end */
  put(): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#users === 0) throw new BugError("refcount-underflow", `put of ${this.name}, which nobody uses`);
    this.#users -= 1;
    if (this.#users === 0) this.#idle.wake();
  }

  /**
   * Lets nobody in any more and waits until everybody is out. Not from a user: it would wait for itself. Whoever calls
   * it again waits as well.
   * @throws KernelError ETIMEDOUT: nobody gets in, but some are still there; call it again to go on waiting
   */
  async unregister(options: UnregisterOptions = {}): Promise<void> {
    const { clock, scheduler } = this.#runtime;
    const deadline = deadlineOf(this.#runtime, options);
    scheduler.access(this, "write");
    this.#state = "unregistering";
    let asked: Completion | null = null;
    for (let count = 0; this.users > 0; ) {
      if (options.request !== undefined && (asked === null || asked.done)) {
        asked = this.#ask(options, count);
        count += 1;
      }
      const pause = Math.min(deadline, clock.now() + requestPeriodMs);
      try {
        await this.#idle.wait(() => this.users === 0, { deadline: pause });
      } catch (error) {
        if (!isKernelError(error, "ETIMEDOUT")) throw error;
        if (pause < deadline) continue;
        throw new KernelError("ETIMEDOUT", `unregister ${this.name}: ${this.users} still use it; end that`, {
          cause: error,
        });
      }
    }
    if (asked !== null) await this.#askedUntil(asked, deadline);
  }

  /** Asks in a task of its own: whoever asks may take longer than anybody waits. */
  #ask({ request }: UnregisterOptions, count: number): Completion {
    const asked = new Completion(this.#runtime, `request ${count} to the users of ${this.name}`);
    this.#runtime.scheduler.spawn(asked.name, async () => {
      try {
        await invoke(this.#runtime, "registration.request", this, () => request?.(count));
      } catch (error) {
        this.#runtime.log("error", "registration.request-failed", { registration: this.name, count, error });
      } finally {
        asked.completeAll();
      }
    });
    return asked;
  }

  /** Everybody is out; whoever has asked them is not to be overtaken, if that can be had. */
  async #askedUntil(asked: Completion, deadline: number): Promise<void> {
    try {
      await asked.wait({ deadline });
    } catch (error) {
      if (!isKernelError(error, "ETIMEDOUT")) throw error;
      this.#runtime.log("warn", "registration.request-late", { registration: this.name });
    }
  }
}
