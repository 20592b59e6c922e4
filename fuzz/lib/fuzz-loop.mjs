/**
 * One target, one thread: makes inputs, runs them, keeps those that reach something new. What the watcher needs to know when this
 * thread hangs or dies, the input under way and how many there were, lies in shared memory.
 */
import { performance } from "node:perf_hooks";
import { failureKey } from "./finding.mjs";
import { minimise } from "./minimise.mjs";
import { Mutator } from "./mutate.mjs";
import { Random } from "./random.mjs";

export const SHARED_BYTES = 64 + 1024 * 1024;
/** 32-bit words at the start of the shared memory. */
export const EXECUTIONS = 0;
export const LENGTH = 1;
/** Counts all that is run, what is run once more to find out which input it was included: who watches sees that it goes on. */
export const BEATS = 2;

/** Executions between two looks at the coverage. */
const batch = 2048;
/** An input may take so long, in ms; one that seems to is run again, because machines have other things to do as well. */
const slowMs = 40;
const stackFrames = 20;
/** Memory outside of the heap that one batch may leave behind before it is looked at closely, in bytes. */
const leftBehind = 512 * 1024 * 1024;

export class FuzzLoop {
  #target;
  #run;
  #coverage;
  #mutator;
  #corpus;
  #features = new Set();
  #failures = new Set();
  #shared;
  #words;
  #report;
  executions = 0;
  messages = 0;
  slowest = 0;

  /** @param report told of `{kind: "finding" | "keep", …}` */
  constructor({ target, run, coverage, seed, corpus, shared, report }) {
    this.#target = target;
    this.#run = run;
    this.#coverage = coverage;
    this.#mutator = new Mutator(new Random(seed), target);
    this.#corpus = corpus;
    this.#shared = new Uint8Array(shared, 64);
    this.#words = new Int32Array(shared, 0, 16);
    this.#report = report;
  }

  get corpusSize() {
    return this.#corpus.length;
  }

  /** The corpus itself: what it reaches is not new. */
  async begin() {
    Error.stackTraceLimit = 0;
    for (const input of this.#corpus) await this.#execute(input, "known");
    this.#coverage?.look();
  }

  async runFor(ms) {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      const before = process.memoryUsage().arrayBuffers;
      const inputs = [];
      // An asynchronous target may be slow: the time counts within a batch as well.
      for (let i = 0; i < batch && (i % 64 !== 0 || performance.now() < until); i++) {
        const input = this.#mutator.next(this.#corpus);
        inputs.push(input);
        await this.#execute(input, "new");
      }
      if (process.memoryUsage().arrayBuffers - before > leftBehind) await this.#whoHoards(inputs);
      if (this.#coverage !== undefined && this.#coverage.wouldFind() > 0) await this.#whoFound(inputs);
    }
  }

  async #execute(input, origin) {
    const length = Math.min(input.length, this.#shared.length);
    this.#shared.set(length === input.length ? input : input.subarray(0, length));
    Atomics.store(this.#words, LENGTH, length);
    this.executions += 1;
    Atomics.store(this.#words, EXECUTIONS, this.executions);
    Atomics.add(this.#words, BEATS, 1);
    const start = performance.now();
    let feature;
    try {
      const outcome = this.#run(input);
      feature = outcome instanceof Promise ? await outcome : outcome;
    } catch (error) {
      await this.#failed(input, error);
      return;
    }
    const took = performance.now() - start;
    this.messages += this.#target.countOf === undefined ? 1 : this.#target.countOf(input);
    if (took > this.slowest) this.slowest = took;
    if (took > slowMs) await this.#tooSlow(input);
    if (feature === undefined || this.#features.has(feature)) return;
    this.#features.add(feature);
    if (origin === "new") this.#keep(input);
  }

  #keep(input) {
    this.#corpus.push(input);
    this.#report({ kind: "keep", input });
  }

  async #failed(input, first) {
    const { error, key } = await this.#withStack(input, first);
    if (this.#failures.has(key)) return;
    this.#failures.add(key);
    Error.stackTraceLimit = stackFrames;
    const fails = async (candidate) => {
      try {
        await this.#run(candidate);
      } catch (again) {
        return failureKey(again) === key;
      }
      return false;
    };
    const small = await minimise(input, this.#target, fails);
    Error.stackTraceLimit = 0;
    this.#report({
      kind: "finding",
      what: error instanceof Error ? String(error.stack) : String(error),
      input: small,
    });
  }

  /** Errors are made without stacks, which cost more than most decoders; this one is wanted with it. */
  async #withStack(input, first) {
    Error.stackTraceLimit = stackFrames;
    let error = first;
    try {
      await this.#run(input);
    } catch (again) {
      error = again;
    }
    Error.stackTraceLimit = 0;
    return { error, key: failureKey(error) };
  }

  async #tooSlow(input) {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      await this.#run(input);
      least = Math.min(least, performance.now() - start);
    }
    if (least < slowMs || this.#failures.has("slow")) return;
    this.#failures.add("slow");
    this.#report({ kind: "finding", what: `it takes ${least.toFixed(1)} ms, ${slowMs} are allowed`, input });
  }

  async #whoHoards(inputs) {
    for (const input of inputs) {
      const before = process.memoryUsage().arrayBuffers;
      await this.#run(input);
      const grown = process.memoryUsage().arrayBuffers - before;
      if (grown < leftBehind / 16 || this.#failures.has("hoards")) continue;
      this.#failures.add("hoards");
      this.#report({ kind: "finding", what: `it takes ${grown} bytes outside of the heap`, input });
    }
  }

  /** Halves the batch until one input is left that reaches something; then the rest again, because there may be several. */
  async #whoFound(inputs) {
    let left = inputs;
    while (left.length > 0 && (await this.#reach(left))) {
      let some = left;
      while (some.length > 1) {
        const half = some.slice(0, some.length >> 1);
        some = (await this.#reach(half)) ? half : some.slice(some.length >> 1);
      }
      await this.#runAll(some);
      // What does not happen again when it is alone is left for another time.
      if (this.#coverage.look() === 0) return;
      this.#keep(some[0]);
      left = left.filter((input) => input !== some[0]);
    }
  }

  async #reach(inputs) {
    await this.#runAll(inputs);
    return this.#coverage.wouldFind() > 0;
  }

  async #runAll(inputs) {
    for (const input of inputs) {
      Atomics.add(this.#words, BEATS, 1);
      try {
        await this.#run(input);
      } catch {
        // Reported already.
      }
    }
  }
}
