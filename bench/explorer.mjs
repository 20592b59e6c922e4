/**
 * Measures the explorer's search on published programs of cells: traces per second and memory, growth with the number of tasks, what finding
 * races saves, and the same two programs in SPIN; then the same of asynchronous code that ships.
 *
 *   npm run bench -- explorer [--quick] [cells | shipped]        (or, after npm run build: node bench/explorer.mjs)
 *
 * Each number comes from a process of its own; seconds are of processor time, so that neighbours on the machine count less. SPIN
 * (Debian: apt install spin gcc) is left out where it is not installed, and the report says so.
 */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { shippedTables } from "./explorer-shipped.mjs";
import { spinTable } from "./explorer-spin.mjs";

const dist = "../packages/explorer/dist";
const methods = { "sleep sets": "SleepSets", "source sets": "SourceDpor", "wakeup trees": "OptimalDpor" };

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
  allowPositionals: true,
});
if (positionals[0] === "measure") await measure(positionals[1], positionals[2]);
else {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}, Node ${process.versions.node}\n`,
  );
  if (positionals[0] !== "shipped") report();
  if (positionals[0] !== "cells") shippedTables({ quick: values.quick, print: table, count });
}

/** In a process of its own: explores one program and prints what it took as JSON. */
async function measure(name, method) {
  const { rows } = await import(`${dist}/cells/published/rows.js`);
  const { lastZero } = await import(`${dist}/cells/published/arrays.js`);
  const { readers } = await import(`${dist}/cells/published/counters.js`);
  const { OptimalDpor, SleepSets, SourceDpor, exploreCells } = await import(`${dist}/index.js`);
  const Strategy = { OptimalDpor, SleepSets, SourceDpor }[method];
  const [, family, n] = /^(.*)\((\d+)\)$/.exec(name);
  const program =
    rows.find((row) => row.name === name)?.program() ?? { lastzero: lastZero, readers }[family](Number(n));
  const memory = process.resourceUsage().maxRSS;
  let report;
  let seconds = Number.POSITIVE_INFINITY;
  // Small programs are over before they are compiled; the fastest time of many counts.
  for (let total = 0; total < 0.5; ) {
    const before = process.cpuUsage();
    report = exploreCells(program, new Strategy());
    const { user, system } = process.cpuUsage(before);
    seconds = Math.min(seconds, (user + system) / 1e6);
    total += (user + system) / 1e6;
  }
  const mebibytes = (process.resourceUsage().maxRSS - memory) / 1024;
  console.log(JSON.stringify({ ...report, seconds, mebibytes }));
}

function run(name, method) {
  const child = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), "measure", name, methods[method]],
    {
      encoding: "utf8",
    },
  );
  if (child.status !== 0) throw new Error(`${name}, ${method}: ${child.stderr}`);
  return JSON.parse(child.stdout);
}

function report() {
  const quick = values.quick;
  console.log(
    "Wakeup trees: every trace once, no run in vain. Memory: what the search adds to the process.\n",
  );
  const programs = [
    "inc(5)",
    "cinc(4)",
    "fib_bench(5)",
    "indexer(15)",
    "readers(13)",
    ...(quick ? ["lastzero(12)"] : ["lastzero(15)"]),
  ];
  table(
    ["program", "traces", "steps of a run", "s", "traces/s", "steps/s", "MiB"],
    programs.map((name) => {
      const { traces, steps, maxDepth, seconds, mebibytes } = run(name, "wakeup trees");
      return [
        name,
        traces,
        maxDepth,
        seconds.toFixed(2),
        perSecond(traces, seconds),
        perSecond(steps, seconds),
        mebibytes.toFixed(0),
      ];
    }),
  );

  console.log("\nGrowth with the number of tasks: time per trace and memory.\n");
  table(
    ["program", "traces", "steps of a run", "µs per trace", "MiB"],
    (quick ? [6, 8, 10] : [6, 8, 10, 12, 14]).map((n) => {
      const { traces, maxDepth, seconds, mebibytes } = run(`lastzero(${n})`, "wakeup trees");
      return [
        `lastzero(${n})`,
        traces,
        maxDepth,
        ((seconds / traces) * 1e6).toFixed(1),
        mebibytes.toFixed(0),
      ];
    }),
  );

  console.log("\nRuns begun, of which in vain, and seconds.\n");
  table(
    ["program", ...Object.keys(methods)],
    ["readers(8)", "readers(11)", "lastzero(6)", ...(quick ? [] : ["lastzero(9)"])].map((name) => [
      name,
      ...Object.keys(methods).map((method) => {
        const { traces, abandoned, seconds } = run(name, method);
        return `${count(traces + abandoned)}, ${count(abandoned)} in vain, ${seconds.toFixed(2)} s`;
      }),
    ]),
  );

  console.log(
    "\nBeside SPIN. It keeps states and visits each once; wakeup trees keep none and run each trace once. Both see every outcome.\n",
  );
  const sizes = quick ? { readers: 10, lastzero: 8 } : { readers: 13, lastzero: 15 };
  const ours = Object.entries(sizes).map(([name, n]) => {
    const { traces, seconds, mebibytes } = run(`${name}(${n})`, "wakeup trees");
    return [
      `${name}(${n})`,
      "wakeup trees",
      `${count(traces)} traces`,
      `${seconds.toFixed(2)} s`,
      `${mebibytes.toFixed(0)} MiB`,
    ];
  });
  const theirs = spinTable(quick ? sizes : { ...sizes, "lastzero ": 8 });
  if (theirs === null)
    console.log(
      "SPIN is not here: install it with its C compiler (Debian: apt install spin gcc) and run this again.\n",
    );
  table(["program", "by", "seen", "time", "memory"], [...ours, ...(theirs ?? [])]);
}

function count(number) {
  return number.toLocaleString("en");
}

function perSecond(number, seconds) {
  return count(Math.round(number / seconds));
}

function table(head, rows) {
  for (const row of [head, head.map(() => "---"), ...rows])
    console.log(`| ${row.map((cell) => (typeof cell === "number" ? count(cell) : cell)).join(" | ")} |`);
}
