/**
 * `npm run fuzz -- [--seconds N] [--target NAME]… [--seed S] [--json] [--no-coverage] [--keep] [--input FILE]`
 *
 * Runs every target, or those named, for N seconds altogether (default 60) and prints for each: executions, messages, executions
 * a second, blocks of our code that ran, inputs in the corpus, findings. A finding is written to `fuzz/findings/`, as small as it
 * was made, with the command that runs it again. `--keep` adds what reached new code to the corpus in the repository.
 */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { fuzzEngine, replayOnEngine } from "./engine/fuzz-engine.mjs";
import { readCorpus, writeCorpus } from "./lib/corpus.mjs";
import { distil } from "./lib/distil.mjs";
import { BEATS, EXECUTIONS, LENGTH, SHARED_BYTES } from "./lib/fuzz-loop.mjs";
import { loadTarget, targetNames } from "./targets/index.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    target: { type: "string", multiple: true },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
    "no-coverage": { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    input: { type: "string" },
  },
});
const root = fileURLToPath(new URL("..", import.meta.url));
const findings = fileURLToPath(new URL("./findings", import.meta.url));
/** One input may be under way for so long, in ms, before its thread counts as hung. */
const hungMs = 20_000;
/** Heap of a thread, in MiB: an input that needs more is a finding. */
const heapMiB = 1024;
const mostFindings = 20;

const all = [...targetNames, "engine"];
const names = values.target ?? all;
for (const name of names) {
  if (all.includes(name)) continue;
  console.error(`There is no target ${name}; there are ${all.join(", ")}.`);
  process.exit(64);
}
const seconds = Number(values.seconds);
if (!(seconds > 0)) {
  console.error(`--seconds ${values.seconds}: a number above 0 is expected`);
  process.exit(64);
}
const seed = values.seed === undefined ? (Date.now() & 0x7fffffff) >>> 0 : Number(values.seed);

if (values.input !== undefined) await replay(names[0], readFileSync(values.input));
else await fuzz();

async function fuzz() {
  const rows = [];
  for (const name of names) {
    const ms = (1000 * seconds) / names.length;
    const save = (finding) => saveFinding(name, finding);
    const row = name === "engine" ? await fuzzEngine({ seed, ms, save }) : await watch(name, ms, save);
    rows.push({ target: name, ...row });
    if (!values.json) print(rows.at(-1), rows.length === 1);
  }
  const sum = (field) => rows.reduce((total, row) => total + row[field], 0);
  const total = { executions: sum("executions"), messages: sum("messages"), findings: sum("findings") };
  if (values.json) console.log(JSON.stringify({ seed, seconds, targets: rows, total }, null, 1));
  else
    console.log(
      `all: ${total.executions} executions, ${total.messages} messages, ${total.findings} findings; seed ${seed}`,
    );
  process.exitCode = total.findings > 0 ? 1 : 0;
}

/** Fuzzes in a thread; one that hangs or dies is a finding, and another one takes its place. */
async function watch(name, ms, save) {
  const until = performance.now() + ms;
  const row = {
    executions: 0,
    messages: 0,
    seconds: 0,
    perSecond: 0,
    blocks: 0,
    corpus: 0,
    slowestMs: 0,
    findings: 0,
  };
  const kept = [];
  for (let round = 0; row.findings < mostFindings; round++) {
    const left = until - performance.now();
    if (left <= 0) break;
    const end = await watchThread(
      { name, seed: seed + round, ms: left },
      (finding) => {
        row.findings += 1;
        save(finding);
      },
      (input) => kept.push(input),
    );
    row.executions += end.executions;
    row.messages += end.messages;
    row.seconds += end.ms / 1000;
    row.blocks = Math.max(row.blocks, end.blocks);
    row.corpus = Math.max(row.corpus, end.corpus);
    row.slowestMs = Math.max(row.slowestMs, Number(end.slowest.toFixed(2)));
  }
  row.perSecond = Math.round(row.executions / Math.max(row.seconds, 0.001));
  row.seconds = Number(row.seconds.toFixed(1));
  if (values.keep) {
    const target = await loadTarget(name);
    writeCorpus(name, await distil(name, target, [...readCorpus(name), ...kept]));
  }
  return row;
}

function watchThread({ name, seed, ms }, found, keep) {
  const shared = new SharedArrayBuffer(SHARED_BYTES);
  const words = new Int32Array(shared, 0, 16);
  const underWay = () => Buffer.from(shared, 64, Atomics.load(words, LENGTH)).subarray();
  const guided = !values["no-coverage"];
  const worker = new Worker(new URL("./worker.mjs", import.meta.url), {
    workerData: { name, seed, ms, guided, shared },
    resourceLimits: { maxOldGenerationSizeMb: heapMiB },
  });
  let last = { executions: 0, messages: 0, ms: 0, blocks: 0, corpus: 0, slowest: 0 };
  return new Promise((resolve) => {
    let seen = 0;
    let since = performance.now();
    const finish = () => {
      clearInterval(watcher);
      resolve({ ...last, executions: Math.max(last.executions, Atomics.load(words, EXECUTIONS)) });
    };
    const watcher = setInterval(() => {
      const now = Atomics.load(words, BEATS);
      if (now !== seen) {
        seen = now;
        since = performance.now();
      } else if (performance.now() - since > hungMs) {
        found({ what: `it does not end within ${hungMs} ms`, input: Uint8Array.from(underWay()) });
        void worker.terminate().then(finish);
      }
    }, 1000);
    worker.on("message", (message) => {
      if (message.kind === "finding") found(message);
      else if (message.kind === "loose")
        found({ what: `nobody waits for: ${message.what}`, input: Uint8Array.from(underWay()) });
      else if (message.kind === "keep") keep(message.input);
      else last = message;
      if (message.kind === "done") void worker.terminate().then(finish);
    });
    worker.on("error", (error) => {
      found({ what: `its thread died: ${error.stack ?? error}`, input: Uint8Array.from(underWay()) });
      finish();
    });
  });
}

function saveFinding(name, { what, input }) {
  const digest = createHash("sha256").update(what.split("\n", 1)[0]).update(input).digest("hex").slice(0, 12);
  mkdirSync(findings, { recursive: true });
  const file = join(findings, `${name}-${digest}`);
  writeFileSync(file, input);
  writeFileSync(`${file}.txt`, `${what}\n`);
  const command = `npm run fuzz -- --target ${name} --input ${relative(root, file)}`;
  console.error(
    `${name}: ${what.split("\n").slice(0, 4).join("\n  ")}\n  ${input.length} bytes: ${Buffer.from(input).toString("hex").slice(0, 200)}\n  again: ${command}`,
  );
}

async function replay(name, input) {
  if (name === "engine") {
    console.log(await replayOnEngine(input));
    return;
  }
  const target = await loadTarget(name);
  const run = await target.setup();
  console.log(`it gives ${JSON.stringify(await run(Uint8Array.from(input)))}`);
}

function print(row, first) {
  const columns = [
    "target",
    "executions",
    "messages",
    "perSecond",
    "blocks",
    "corpus",
    "slowestMs",
    "findings",
  ];
  const widths = [12, 12, 12, 10, 7, 7, 10, 9];
  const line = (cells) =>
    cells
      .map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i])))
      .join(" ");
  if (first) console.log(line(columns));
  console.log(line(columns.map((column) => row[column])));
}
