// What the examples' command lines have in common: `--json`, `--out DIR`, and times.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

/** Reads the command line; `options` are the program's own, in `parseArgs`' terms. */
export function readOptions(options = {}) {
  try {
    return parseArgs({
      options: { json: { type: "boolean", default: false }, out: { type: "string" }, ...options },
      allowPositionals: true,
    });
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

/** Prints one JSON document, or lines for a reader. */
export function report(values, document, summarize) {
  process.stdout.write(values.json ? `${JSON.stringify(document)}\n` : `${summarize(document)}\n`);
}

/** The path of a file in the directory that `--out` names, made if need be; undefined without `--out`. */
export async function outputPath(values, name) {
  if (values.out === undefined) {
    return undefined;
  }
  await mkdir(values.out, { recursive: true });
  return join(values.out, name);
}

/** Runs `work` and returns its result with the milliseconds it took. */
export async function timed(work) {
  const start = performance.now();
  const result = await work();
  return { result, ms: round(performance.now() - start, 1) };
}

/** The middle of some durations: one slow run, as the first often is, does not move it. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function round(number, digits) {
  return Number(number.toFixed(digits));
}

/** Who computes, in the adapter's own words; empty where there is no WebGPU. */
export async function describeAdapter() {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter();
  return adapter ? { vendor: adapter.info.vendor, architecture: adapter.info.architecture } : {};
}
