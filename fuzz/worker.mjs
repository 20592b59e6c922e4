/** The thread that fuzzes one target; `main.mjs` starts it and watches it. */
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { readCorpus } from "./lib/corpus.mjs";
import { Coverage } from "./lib/coverage.mjs";
import { FuzzLoop } from "./lib/fuzz-loop.mjs";
import { loadTarget } from "./targets/index.mjs";

const { name, seed, ms, guided, shared } = workerData;
const coverage = guided ? new Coverage() : undefined;
const target = await loadTarget(name);
const run = await target.setup();
const corpus = [...readCorpus(name), ...target.seeds()];
const report = (message) => parentPort.postMessage(message);

// What nobody waits for must not fail either.
process.on("unhandledRejection", (error) => report({ kind: "loose", what: String(error?.stack ?? error) }));

const loop = new FuzzLoop({ target, run, coverage, seed, corpus, shared, report });
const start = performance.now();
const numbers = (kind) => ({
  kind,
  executions: loop.executions,
  messages: loop.messages,
  ms: performance.now() - start,
  blocks: coverage?.blocks ?? 0,
  corpus: loop.corpusSize,
  slowest: loop.slowest,
});
await loop.begin();
const until = start + ms;
while (performance.now() < until) {
  await loop.runFor(Math.min(5000, until - performance.now()));
  report(numbers("progress"));
}
report(numbers("done"));
