// For the tests: runs a program and returns what it printed. A GPU is always the software one, which computes the same to the
// last bit on every machine.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const DEADLINE_MS = 240_000;

/**
 * @param {string[]} program a path below examples/, and its arguments
 * @param {string[]} options of `parhelion run`
 */
export async function inGuest(program, options = []) {
  // A state directory where no host runs, whatever runs on this machine: the command starts a private one.
  const state = await mkdtemp(join(tmpdir(), "parhelion-"));
  const command = join(root, "packages/parhelion/bin/parhelion.js");
  try {
    return await printed([
      ...[command, "run", "--state", state, "--adapter", "software", ...options],
      ...["--", process.execPath, ...commandLine(program)],
    ]);
  } finally {
    await rm(state, { recursive: true });
  }
}

/** On Dawn. */
export function inProcess(program) {
  return printed([join(root, "examples/in-process.mjs"), "--software", ...commandLine(program)]);
}

export function withoutGpu(program) {
  return printed(commandLine(program));
}

function commandLine([file, ...rest]) {
  return [join(root, "examples", file), ...rest, "--json"];
}

async function printed(args) {
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    timeout: DEADLINE_MS,
    maxBuffer: 64 * 2 ** 20,
  });
  return JSON.parse(stdout.trimEnd().split("\n").at(-1));
}
