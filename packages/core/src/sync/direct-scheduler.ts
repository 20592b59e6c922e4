/** The production scheduler: the event loop's own order, nothing recorded. */
import { type Clock, type ClockTimer, systemClock } from "../clock.js";
import { Deadlines } from "./deadlines.js";
import type { Blocked, Named, Scheduler, Wakeup } from "./scheduler.js";

export class DirectScheduler implements Scheduler {
  readonly #deadline: (due: number, missed: () => void) => ClockTimer;
  readonly #taskFailed: (task: string, error: unknown) => void;
  /** One for all: whoever awaits it goes on in the next microtask. */
  readonly #ready = Promise.resolve();

  constructor(clock: Clock, taskFailed: (task: string, error: unknown) => void) {
    const deadlines = new Deadlines();
    // Another clock may be one that goes from timer to timer, and should meet those that were asked for.
    this.#deadline =
      clock === systemClock
        ? (due, missed) => deadlines.add(due, missed)
        : (due, missed) => clock.setTimer(due - clock.now(), missed);
    this.#taskFailed = taskFailed;
  }

  block(_op: string, _on: Named, deadline: number): Blocked {
    let settle: ((wakeup: Wakeup) => void) | null = null;
    const wakeup = new Promise<Wakeup>((resolve) => {
      settle = resolve;
    });
    const finish = (how: Wakeup): boolean => {
      if (settle === null) return false;
      settle(how);
      settle = null;
      return true;
    };
    if (deadline === Number.POSITIVE_INFINITY) return { wakeup, wake: () => finish("woken") };
    const timer = this.#deadline(deadline, () => finish("timeout"));
    return {
      wakeup,
      wake: () => {
        timer.cancel();
        return finish("woken");
      },
    };
  }

  yield(): Promise<void> {
    return this.#ready;
  }

  spawn(name: string, run: () => Promise<void>): void {
    const failed = (error: unknown) => this.#taskFailed(name, error);
    // Not by what `then` makes of the promise that `run` gives: that costs more microtasks than the task's own.
    void this.#ready.then(() => {
      try {
        run().catch(failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  access(): void {}

  note(): void {}
}
