/**
 * What strangers can cause to be logged, at a rate that a log survives: the first ones of each minute are told at their level, the others
 * to those who debug, and the next one that is told says how many there were.
 */
import type { Named, Runtime } from "parhelion-core";

/** Warnings in one window. */
const most = 10;
const windowMs = 60_000;

export class LogThrottle implements Named {
  readonly name = "log throttle";
  readonly #runtime: Runtime;
  #since = Number.NEGATIVE_INFINITY;
  #warned = 0;
  #suppressed = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  warn(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.tell("warn", event, fields);
  }

  tell(level: "info" | "warn", event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#runtime.scheduler.access(this, "write");
    const now = this.#runtime.clock.now();
    if (now - this.#since >= windowMs) {
      this.#since = now;
      this.#warned = 0;
    }
    if (this.#warned >= most) {
      this.#suppressed += 1;
      this.#runtime.log("debug", event, fields);
      return;
    }
    this.#warned += 1;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#runtime.log(level, event, suppressed === 0 ? fields : { ...fields, suppressed });
  }
}
