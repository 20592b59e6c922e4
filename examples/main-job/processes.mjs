// The processes that the main job runs: each is a command that a person could type. Whatever happens, none stays behind.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const parhelion = join(root, "packages/parhelion/bin/parhelion.js");

/** Long enough for a software GPU on a machine that is busy with other things. */
const PROGRAM_DEADLINE_MS = 240_000;
const HOST_DEADLINE_MS = 60_000;
/** A process that was asked to end and did not gets killed. */
const END_DEADLINE_MS = 10_000;

/**
 * Runs `node` with `args` to its end.
 *
 * @param {AbortSignal} signal ends the process early
 * @returns {Promise<{document: object, milliseconds: number, said: string}>} the JSON document that it printed last, and
 *   what it said on stderr
 */
export async function runForJson(what, args, signal) {
  signal.throwIfAborted();
  const start = performance.now();
  const child = startNode(args);
  const deadline = AbortSignal.timeout(PROGRAM_DEADLINE_MS);
  const { out, err, how } = await untilEnd(child, AbortSignal.any([signal, deadline]));
  signal.throwIfAborted();
  const command = `  node ${args.join(" ")}`;
  if (deadline.aborted) {
    throw new Error(`${what} took longer than ${PROGRAM_DEADLINE_MS / 1000} s\n${command}\n${indent(err)}`);
  }
  if (how !== "status 0") {
    throw new Error(`${what} ended with ${how}\n${command}\n${indent(err || out)}`);
  }
  try {
    const document = JSON.parse(out.trimEnd().split("\n").at(-1));
    return { document, milliseconds: performance.now() - start, said: err };
  } catch {
    throw new Error(`${what} printed no JSON\n${command}\n${indent(out + err)}`);
  }
}

/**
 * Starts a host of its own and hands `work` its state directory and its status; the host and the directory are gone
 * afterwards, whatever happened.
 */
export async function withHost(adapter, signal, work) {
  // Short: Unix socket paths end at 107 bytes.
  const state = await mkdtemp(join(tmpdir(), "parhelion-"));
  const child = startNode([parhelion, "host", "--state", state, "--adapter", adapter, "--json"]);
  const over = new AbortController();
  const ended = untilEnd(child, over.signal);
  try {
    const status = await Promise.race([
      firstLine(child.stdout),
      ended.then(() => undefined),
      aborted(AbortSignal.any([signal, AbortSignal.timeout(HOST_DEADLINE_MS)])),
    ]);
    signal.throwIfAborted();
    if (status === undefined) {
      const { out, err, how } = await ended;
      throw new Error(`the host did not start: it ended with ${how}\n${indent(out + err)}`);
    }
    const ready = JSON.parse(status);
    if (ready.error !== undefined) {
      const { message, remedy } = ready.error;
      throw new Error(`the host did not start: ${message}\n${indent(remedy)}`);
    }
    return await work(state, ready);
  } finally {
    over.abort();
    const { err, how } = await ended;
    await rm(state, { recursive: true, force: true });
    if (err.trim() !== "") console.error(`the host ended with ${how} and said\n${indent(err)}`);
  }
}

/**
 * Runs tasks in their order, so many at a time. When one fails, the others are told by their signal, and all have ended
 * when the failure is thrown.
 *
 * @param {Record<string, (signal: AbortSignal) => Promise<unknown>>} tasks
 * @returns {Promise<Record<string, unknown>>} what each task returned
 */
export async function atOnce(count, tasks, signal) {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const waiting = Object.entries(tasks);
  const results = {};
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined && !either.aborted; next = waiting.shift()) {
      const [name, task] = next;
      try {
        results[name] = await task(either);
      } catch (error) {
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: count }, lane));
  either.throwIfAborted();
  return results;
}

/** The command line of `program` in a guest of its own, as isolated as the machine allows. */
export function inGuest(state, name, outputs, program) {
  return [
    ...[parhelion, "run", "--state", state, "--name", name, "--isolate", "--writable", outputs],
    ...["--", process.execPath, ...program],
  ];
}

/** The same program in process on Dawn, on the GPU that a host of that kind of adapter has. */
export function inProcess(kind, program) {
  return [join(root, "examples/in-process.mjs"), ...(kind === "software" ? ["--software"] : []), ...program];
}

function startNode(args) {
  return spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
}

async function untilEnd(child, signal) {
  let killing;
  const end = () => {
    child.kill("SIGTERM");
    killing = setTimeout(() => child.kill("SIGKILL"), END_DEADLINE_MS);
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    const [out, err, how] = await Promise.all([read(child.stdout), read(child.stderr), howItEnded(child)]);
    return { out, err, how };
  } finally {
    signal.removeEventListener("abort", end);
    clearTimeout(killing);
  }
}

function howItEnded(child) {
  return new Promise((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("close", (code, signal) => resolve(signal === null ? `status ${code}` : signal));
  });
}

function aborted(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Everything that comes, from now on: several may listen. */
function read(stream) {
  const chunks = [];
  stream.on("data", (chunk) => chunks.push(chunk));
  return new Promise((resolve) => {
    stream.once("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

function firstLine(stream) {
  return new Promise((resolve) => {
    const lines = createInterface({ input: stream });
    lines.once("line", resolve);
    lines.once("close", () => resolve(undefined));
  });
}

function indent(text) {
  return text.replace(/^/gm, "    ").trimEnd();
}
