/**
 * Measures the explorer on asynchronous code that ships: core's primitives and its device model, run as they are, with
 * all that is looked for looked for.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const programs = {
  "refcount: use against last put": "primitives.refcountReleasesOnce",
  "work: queue against cancel": "primitives.workIsCancelled",
  "work: queue and flush, twice": "primitives.workIsFlushed",
  "wait queue: two wait, two wake": "primitives.waitQueueLosesNothing",
  "mutex: three tasks, any deadline": "primitives.mutexExcludes.anyDeadline",
  "rwlock: three tasks, any deadline": "primitives.rwlockExcludes.anyDeadline",
  "device added, driver registered": "binding.deviceMeetsDriver",
  "device removed by two": "binding.removedOnce",
  "attach, detach, remove": "binding.attachDetachRemove",
  "node opened, device removed": "nodes.openMeetsRemoval",
};
const methods = {
  "wakeup trees": "optimal",
  "source sets": "source",
  "sleep sets": "sleep sets",
  "every order": "every",
};
const compared = [
  "refcount: use against last put",
  "work: queue and flush, twice",
  "mutex: three tasks, any deadline",
  "device removed by two",
  "attach, detach, remove",
];

function run(program, method, maxRuns) {
  const child = spawnSync(
    process.execPath,
    [
      "--no-allocation-site-pretenuring",
      fileURLToPath(new URL("explorer-shipped-measure.mjs", import.meta.url)),
      program,
      method,
      String(maxRuns),
    ],
    { encoding: "utf8" },
  );
  if (child.status !== 0) throw new Error(`${program}, ${method}: ${child.stderr}`);
  return JSON.parse(child.stdout);
}

/** @param print of a table: head, rows @param count of a number */
export function shippedTables({ quick, print, count }) {
  const limit = 1_000_000;
  console.log(
    "\nAsynchronous code that ships, all detectors on, one core. A run in vain is given up half-way. Cold: the first search of a process.\n",
  );
  print(
    ["program", "traces", "in vain", "steps of a run", "ms, cold", "ms", "traces/s", "steps/s", "MiB"],
    Object.entries(programs).map(([label, program]) => {
      const { runs, abandoned, steps, cold, seconds, mebibytes } = run(program, "optimal", limit);
      return [
        label,
        runs,
        abandoned,
        (steps / (runs + abandoned)).toFixed(1),
        (cold * 1e3).toFixed(0),
        (seconds * 1e3).toFixed(1),
        count(Math.round(runs / seconds)),
        count(Math.round(steps / seconds)),
        mebibytes.toFixed(0),
      ];
    }),
  );

  console.log("\nGrowth with depth: two tasks take a mutex n times each.\n");
  print(
    ["n", "traces", "steps of a run", "µs per trace", "µs per step", "MiB"],
    (quick ? [2, 4, 6] : [2, 4, 6, 8, 9]).map((n) => {
      const { runs, abandoned, steps, seconds, mebibytes } = run(`turns(${n})`, "optimal", limit);
      return [
        n,
        runs,
        (steps / (runs + abandoned)).toFixed(1),
        ((seconds / runs) * 1e6).toFixed(1),
        ((seconds / steps) * 1e6).toFixed(2),
        mebibytes.toFixed(0),
      ];
    }),
  );

  const most = quick ? 5_000 : 50_000;
  console.log(
    `\nThe same programs by other searches: runs begun, of which in vain, and ms; ${count(most)} at most.\n`,
  );
  print(
    ["program", ...Object.keys(methods)],
    compared.map((label) => [
      label,
      ...Object.values(methods).map((method) => {
        const { runs, abandoned, seconds, verdict } = run(programs[label], method, most);
        const more = verdict === "safe" ? "" : "more than ";
        return `${more}${count(runs + abandoned)}, ${count(abandoned)} in vain, ${(seconds * 1e3).toFixed(1)} ms`;
      }),
    ]),
  );
}
