/**
 * Gives the event loop its turn now and then: a channel program can be all memory and no waiting, and whoever wants to
 * halt it has to get a word in.
 */
import type { Named, Runtime } from "parhelion-core";

/** The clock is looked at once in so many CCWs. */
const ccwsPerLook = 64;

export class Turns implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #turnMs: number;
  #count = 0;
  #since: number;

  constructor(runtime: Runtime, name: string, turnMs: number) {
    this.#runtime = runtime;
    this.name = name;
    this.#turnMs = turnMs;
    this.#since = runtime.clock.now();
  }

  /** Whether `pass` is due. */
  get over(): boolean {
    this.#count += 1;
    if (this.#count % ccwsPerLook !== 0) return false;
    return this.#runtime.clock.now() - this.#since >= this.#turnMs;
  }

  /** Lets everything else that is ready run. */
  async pass(): Promise<void> {
    await this.#runtime.scheduler.block("ccw.turn", this, this.#runtime.clock.now()).wakeup;
    this.#since = this.#runtime.clock.now();
  }
}
