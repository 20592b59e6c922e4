/** The production scheduler: the event loop's own order, nothing recorded. */
import type { Clock } from "../clock.js";
import type { Blocked, Named, Scheduler, Wakeup } from "./scheduler.js";

export class DirectScheduler implements Scheduler {
  readonly #clock: Clock;
  readonly #taskFailed: (task: string, error: unknown) => void;

  constructor(clock: Clock, taskFailed: (task: string, error: unknown) => void) {
    this.#clock = clock;
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
    const timer = this.#clock.setTimer(deadline - this.#clock.now(), () => finish("timeout"));
    return {
      wakeup,
      wake: () => {
        timer.cancel();
        return finish("woken");
      },
    };
  }

  yield(): Promise<void> {
    return Promise.resolve();
  }

  spawn(name: string, run: () => Promise<void>): void {
    Promise.resolve()
      .then(run)
      .catch((error: unknown) => this.#taskFailed(name, error));
  }

  access(): void {}

  note(): void {}
}
