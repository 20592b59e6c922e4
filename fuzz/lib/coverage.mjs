/**
 * Which blocks of our own code have run, from V8's block coverage. It is looked at once for many executions, because a look takes
 * milliseconds; who finds something new is then found by halving. Must be started before the code is loaded: V8 gives block
 * counters only to functions that it compiles from then on.
 */
import { Session } from "node:inspector";

const ours = /\/packages\/[a-z]+\/dist\/(?!.*\.test\.)/;

export class Coverage {
  #session = new Session();
  #seen = new Set();

  constructor() {
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  get blocks() {
    return this.#seen.size;
  }

  /** @returns how many blocks have run since the last look that had never run before */
  look() {
    let found = 0;
    for (const { url, functions } of this.#post("Profiler.takePreciseCoverage").result) {
      if (!ours.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count === 0) continue;
          const key = `${url}:${startOffset}:${endOffset}`;
          if (this.#seen.has(key)) continue;
          this.#seen.add(key);
          found += 1;
        }
      }
    }
    return found;
  }

  /** As `look`, and forgets what was found: for trying whether an input is the one. */
  wouldFind() {
    const before = new Set(this.#seen);
    const found = this.look();
    this.#seen = before;
    return found;
  }

  #post(method, parameters) {
    let outcome;
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(`${method}: ${error.message}`);
      outcome = result;
    });
    return outcome;
  }
}
