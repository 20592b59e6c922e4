/**
 * Dawn behind the engine's replay, on its null backend, in a process of its own: one that dies by a signal, or stops with an error
 * that is not the guest's, is a finding. What led to it is the whole batch, so that is what is saved, made smaller by halves.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readCorpus } from "../lib/corpus.mjs";
import { join, Mutator } from "../lib/mutate.mjs";
import { Random } from "../lib/random.mjs";
import { commandWords } from "../lib/sources.mjs";
import { splitSized } from "../lib/units.mjs";
import { target as replay } from "../targets/replay.mjs";
import { recordings } from "./recordings.mjs";

const batch = 64;
/** A batch may take so long, in ms. */
const hungMs = 60_000;
/** A process that has grown so large is replaced, and told of: nothing of a closed queue may stay. */
const mostResident = 3 * 2 ** 30;
const mostFindings = 10;
const known = commandWords();

const target = {
  ...replay,
  dictionary: {
    ...replay.dictionary,
    words: [...known.words, ...known.opcodes, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 256, 0x84],
  },
};

class Child {
  #process = fork(fileURLToPath(new URL("./child.mjs", import.meta.url)), [], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: ["--expose-gc", "--max-old-space-size=1024"],
  });
  #last = "";
  #waiting;
  #ended;

  constructor() {
    this.#process.stderr.on("data", (text) => {
      this.#last = (this.#last + text).slice(-4000);
    });
    this.#process.on("message", (answer) => this.#waiting?.({ kind: "done", ...answer }));
    this.#process.on("exit", (code, signal) => {
      this.#ended = {
        kind: "ended",
        what: `the engine's process ended with ${signal ?? code}\n${this.#last}`,
      };
      this.#waiting?.(this.#ended);
    });
  }

  run(inputs) {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    return new Promise((resolve) => {
      const late = setTimeout(
        () => resolve({ kind: "ended", what: `a batch does not end within ${hungMs} ms` }),
        hungMs,
      );
      this.#waiting = (answer) => {
        clearTimeout(late);
        resolve(answer);
      };
      this.#process.send(
        { inputs: inputs.map((input) => Buffer.from(input).toString("base64")) },
        () => undefined,
      );
    });
  }

  async end() {
    if (this.#ended !== undefined) return;
    const exited = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await exited;
  }
}

const failed = (answer) => (answer.kind === "ended" ? answer.what : answer.own[0]);

export async function fuzzEngine({ seed, ms, save }) {
  const random = new Random(seed);
  const mutator = new Mutator(random, target);
  const seeds = [...recordings(), ...readCorpus("replay")];
  const start = performance.now();
  const row = {
    executions: 0,
    messages: 0,
    seconds: 0,
    perSecond: 0,
    blocks: 0,
    corpus: seeds.length,
    slowestMs: 0,
    findings: 0,
  };
  let child = new Child();
  // The recordings as they are: an engine that fails on them is not worth fuzzing.
  let inputs = recordings();
  while (performance.now() - start < ms && row.findings < mostFindings) {
    const begun = performance.now();
    const answer = await child.run(inputs);
    row.slowestMs = Math.max(row.slowestMs, Math.round(performance.now() - begun));
    row.executions += inputs.length;
    row.messages += answer.messages ?? 0;
    const what = failed(answer);
    if (what !== undefined) {
      row.findings += 1;
      save({ what, input: await smaller(inputs, what) });
      await child.end();
      child = new Child();
    } else if (answer.rss > mostResident) {
      row.findings += 1;
      save({ what: `the engine's process has grown to ${answer.rss} bytes`, input: join(inputs) });
      await child.end();
      child = new Child();
    }
    inputs = Array.from({ length: batch }, () => mutator.next(random.chance(2) ? recordings() : seeds));
  }
  await child.end();
  row.seconds = Number(((performance.now() - start) / 1000).toFixed(1));
  row.perSecond = Math.round(row.executions / row.seconds);
  return row;
}

/** Each attempt costs a process: a few dozen, and the rest is for whoever looks at it. */
async function smaller(inputs, what) {
  const first = what.split("\n", 1)[0];
  const fails = async (units) => {
    const child = new Child();
    const answer = await child.run([join(units)]);
    await child.end();
    return failed(answer)?.startsWith(first) === true;
  };
  let units = inputs.flatMap((input) => splitSized(input, { align: 8, least: 8 }));
  if (!(await fails(units))) return join(units);
  let attempts = 40;
  for (let piece = units.length >> 1; piece > 0 && attempts > 0; piece >>= 1) {
    for (let at = 0; at < units.length && attempts > 0; attempts--) {
      const without = [...units.slice(0, at), ...units.slice(at + piece)];
      if (without.length > 0 && (await fails(without))) units = without;
      else at += piece;
    }
  }
  return join(units);
}

export async function replayOnEngine(input) {
  const child = new Child();
  const answer = await child.run([input]);
  await child.end();
  return failed(answer) ?? `it took ${answer.messages} messages`;
}
