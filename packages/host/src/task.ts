/**
 * Work that runs once, as a task of its own, and whose outcome any number of callers wait for, now or later. Nobody has to: an
 * error that nobody waits for is nobody's.
 */
import { Completion, type Runtime, type WaitOptions } from "parhelion-core";

export class Task<T = void> {
  readonly #done: Completion<T>;

  constructor(runtime: Runtime, name: string, work: () => Promise<T>) {
    this.#done = new Completion(runtime, name);
    runtime.scheduler.spawn(name, async () => {
      try {
        this.#done.completeAll(await work());
      } catch (error) {
        this.#done.fail(error);
      }
    });
  }

  /** @throws KernelError ETIMEDOUT (the work goes on), and what the work ended with */
  async wait(options?: WaitOptions): Promise<T> {
    return this.#done.wait(options);
  }

  /** Whether the work has ended, either way, within `ms`. */
  async endsWithin(runtime: Runtime, ms: number): Promise<boolean> {
    const deadline = runtime.clock.now() + ms;
    try {
      await this.#done.wait({ deadline });
    } catch {
      return this.#done.done;
    }
    return true;
  }
}
