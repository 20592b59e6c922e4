/** When callbacks may come: between the end of setting up and the start of tearing down. */

import type { CallbackWindow } from "../program.js";
import type { ControlledScheduler } from "../run/controlled-scheduler.js";

export class Window implements CallbackWindow {
  readonly name: string;
  readonly #scheduler: ControlledScheduler;
  readonly #inside = new Set<string>();
  #state: "not open yet" | "open" | "closed" = "not open yet";

  constructor(scheduler: ControlledScheduler, name: string) {
    this.#scheduler = scheduler;
    this.name = name;
  }

  open(): void {
    this.#scheduler.access(this, "write");
    this.#state = "open";
  }

  close(): void {
    this.#scheduler.access(this, "write");
    this.#state = "closed";
    const [callback] = this.#inside;
    if (callback !== undefined) this.#report(callback, "is still running when");
  }

  async during<T>(callback: string, run: () => Promise<T>): Promise<T> {
    this.#scheduler.access(this, "read");
    if (this.#state !== "open") this.#report(callback, "comes when");
    this.#inside.add(callback);
    try {
      return await run();
    } finally {
      this.#scheduler.access(this, "read");
      this.#inside.delete(callback);
    }
  }

  #report(callback: string, how: string): void {
    const { name } = this;
    this.#scheduler.fail({ kind: "outside-window", message: `${callback} ${how} ${name} is ${this.#state}` });
  }
}
