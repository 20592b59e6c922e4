/** Things that are given out and come back: ids, windows, instances. */

import type { Pool } from "../program.js";
import type { ControlledScheduler } from "../run/controlled-scheduler.js";

export class CountedPool implements Pool {
  readonly name: string;
  readonly size: number;
  readonly #scheduler: ControlledScheduler;
  #taken = 0;

  constructor(scheduler: ControlledScheduler, name: string, size: number) {
    this.#scheduler = scheduler;
    this.name = name;
    this.size = size;
  }

  get free(): number {
    this.#scheduler.access(this, "read");
    return this.size - this.#taken;
  }

  get taken(): number {
    return this.#taken;
  }

  take(): boolean {
    this.#scheduler.access(this, "write");
    if (this.#taken === this.size) return false;
    this.#taken += 1;
    return true;
  }

  give(): void {
    this.#scheduler.access(this, "write");
    if (this.#taken === 0) {
      this.#scheduler.fail({
        kind: "double-free",
        message: `${this.name}: more is given back than was taken`,
      });
      return;
    }
    this.#taken -= 1;
  }
}
