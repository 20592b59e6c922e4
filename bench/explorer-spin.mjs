// The explorer's benchmark programs as Promela, run by SPIN with and without its partial order reduction.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Tasks wait at their end for good, because SPIN counts their ending as steps otherwise. */
const models = {
  readers: (n) => `
byte x;
proctype write() { x = 1; end: false }
proctype read() { byte v; v = x; end: false }
init { byte i; atomic { run write(); for (i : 1 .. ${n}) { run read() } }; end: false }`,
  lastzero: (n) => `
byte array[${n + 1}];
proctype search() { byte i = ${n}; do :: atomic { array[i] != 0 -> i-- } :: else -> break od; end: false }
proctype fill(byte i) { byte v; v = array[i]; array[i + 1] = v + 1; end: false }
init { byte i; atomic { run search(); for (i : 0 .. ${n - 1}) { run fill(i) } }; end: false }`,
};

const mebibytes = 2048;
const seconds = 60;

/** Rows of the report for programs of these sizes; null where there is no SPIN or no C compiler. */
export function spinTable(sizes) {
  if (spawnSync("spin", ["-V"]).error !== undefined || spawnSync("gcc", ["--version"]).error !== undefined)
    return null;
  return Object.entries(sizes).flatMap(([name, n]) =>
    [
      ["SPIN", []],
      ["SPIN, no reduction", ["-DNOREDUCE"]],
    ].map(([by, flags]) => [`${name.trim()}(${n})`, by, ...verify(models[name.trim()](n), flags)]),
  );
}

function verify(model, flags) {
  const cwd = mkdtempSync(join(tmpdir(), "parhelion-spin-"));
  try {
    writeFileSync(join(cwd, "model.pml"), model);
    must("spin", ["-a", "model.pml"], cwd);
    must(
      "gcc",
      ["-O2", "-DSAFETY", "-DVECTORSZ=2048", `-DMEMLIM=${mebibytes}`, ...flags, "-o", "pan", "pan.c"],
      cwd,
    );
    const pan = spawnSync("./pan", ["-m100000", "-w20"], { cwd, encoding: "utf8", timeout: seconds * 1000 });
    const find = (pattern) => pattern.exec(pan.stdout)?.[1] ?? "?";
    if (pan.error !== undefined) return ["not all", `stopped after ${seconds} s`, `up to ${mebibytes} MiB`];
    const states = `${Number(find(/(\d[\d.e+]*) states, stored/)).toLocaleString("en")} states`;
    const memory = `${find(/([\d.]+)\s+total actual memory usage/)} MiB`;
    const time = `${find(/elapsed time ([\d.]+) seconds/)} s`;
    if (/out of memory|reached -DMEMLIM/.test(pan.stdout))
      return [`${states}, not all`, time, `${mebibytes} MiB used up`];
    return [states, time, memory];
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function must(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`);
}
