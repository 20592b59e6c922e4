// The processes that the main job runs: each is a command that a person could type.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const parhelion = join(root, "packages/parhelion/bin/parhelion.js");

/** Runs a command to its end and returns the JSON document that it prints last. */
export async function runForJson(what, args, { deadlineMs = 150_000 } = {}) {
  const start = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: deadlineMs,
  });
  const texts = await Promise.all([read(child.stdout), read(child.stderr), ended(child)]);
  const [out, err, how] = texts;
  if (how !== "status 0")
    throw new Error(`${what} ended with ${how}\n  node ${args.join(" ")}\n${indent(err || out)}`);
  const last = out.trimEnd().split("\n").at(-1);
  try {
    return { document: JSON.parse(last), milliseconds: performance.now() - start, said: err };
  } catch {
    throw new Error(`${what} printed no JSON\n${indent(out + err)}`);
  }
}

/** Starts a host of its own and hands it to `work`; the host is gone afterwards, whatever happened. */
export async function withHost(adapter, work) {
  // Short: Unix socket paths end at 107 bytes.
  const state = await mkdtemp(join(tmpdir(), "parhelion-"));
  const child = spawn(
    process.execPath,
    [parhelion, "host", "--state", state, "--adapter", adapter, "--json"],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const said = read(child.stderr);
  const gone = ended(child);
  try {
    const ready = firstLine(child.stdout);
    const first = await Promise.race([ready, gone.then(() => undefined)]);
    if (first === undefined) throw new Error(`the host did not start\n${indent(await said)}`);
    return await work({ state, status: JSON.parse(first) });
  } finally {
    child.kill("SIGTERM");
    const end = await gone;
    await rm(state, { recursive: true, force: true });
    if (end !== "status 0") console.error(`the host ended with ${end}\n${indent(await said)}`);
  }
}

/** The command line of `program` in a guest of its own, as isolated as the machine allows. */
export function inGuest(state, name, outputs, program) {
  return [
    ...[parhelion, "run", "--state", state, "--name", name, "--isolate", "--writable", outputs],
    ...["--", process.execPath, ...program],
  ];
}

/** The same program in process on Dawn. */
export function inProcess(program) {
  return [join(root, "examples/in-process.mjs"), ...program];
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal === null ? `status ${code}` : signal));
  });
}

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function firstLine(stream) {
  for await (const line of createInterface({ input: stream })) return line;
  return undefined;
}

function indent(text) {
  return text.replace(/^/gm, "    ").trimEnd();
}
