// Where the measured programs run: in process on Dawn, and through a slice over each carrier. Each place is a command prefix and
// an environment, so that the same program file is measured everywhere.
import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createEngineLauncher, probeAdapter } from "parhelion-engine";

export const root = fileURLToPath(new URL("..", import.meta.url));
const parhelion = join(root, "packages/parhelion/bin/parhelion.js");

/** Everything that must be stopped again, newest first. */
class Cleanup {
  #steps = [];
  add(step) {
    this.#steps.unshift(step);
  }
  async run() {
    for (const step of this.#steps) await step();
  }
}

/** Sets up all places, hands them to `work`, and takes them down again. */
export async function withPlaces(adapter, work) {
  const cleanup = new Cleanup();
  try {
    return await work(await open(adapter, cleanup));
  } finally {
    await cleanup.run();
  }
}

async function open(adapter, cleanup) {
  const launcher = createEngineLauncher();
  const kind = adapter === "best" ? await bestKind(launcher) : adapter;
  const dawn = await launcher.environmentFor(kind);
  const state = await mkdtemp(join(tmpdir(), "parhelion-"));
  cleanup.add(() => rm(state, { recursive: true, force: true }));
  const host = await daemon(cleanup, [
    "host",
    "--state",
    state,
    "--adapter",
    kind,
    "--listen",
    "127.0.0.1:0",
    "--json",
  ]);
  const remote = await remoteGuest(cleanup, state, host.listening);
  const guest = (carrier) => ({
    args: [parhelion, "run", "--state", state, "--carrier", carrier, "--", process.execPath],
    env: process.env,
  });
  return {
    description: host.adapters[0].description,
    kind,
    places: {
      "in process": { args: ["--import", join(root, "examples/in-process.mjs")], env: dawn },
      "in-process carrier": { args: ["--import", join(root, "bench/in-process-carrier.mjs")], env: dawn },
      "shared memory": guest("shared-memory"),
      "Unix socket": guest("stream"),
      TCP: {
        args: [],
        env: { ...process.env, PARHELION_DIR: remote.directory, NODE_OPTIONS: `--import=${remote.register}` },
      },
    },
  };
}

async function bestKind(launcher) {
  const hardware = await probeAdapter({ launcher, adapter: "hardware" });
  return hardware.outcome === "found" ? "hardware" : "software";
}

async function remoteGuest(cleanup, state, listening) {
  const created = await run([parhelion, "guest", "create", "--state", state, "--json"], process.env);
  const grant = JSON.parse(created.out);
  const credential = join(state, "bench-credential");
  writeFileSync(credential, grant.credential, { mode: 0o600 });
  cleanup.add(() => rmSync(credential, { force: true }));
  const directory = await mkdtemp(join(tmpdir(), "parhelion-"));
  cleanup.add(() => rm(directory, { recursive: true, force: true }));
  const address = `${listening.host}:${listening.port}`;
  return daemon(cleanup, [
    ...["guest", "--connect", address, "--credential-file", credential, "--directory", directory, "--json"],
  ]);
}

/** Starts a command that says in its first line that it is ready. */
async function daemon(cleanup, args) {
  const child = spawn(process.execPath, [parhelion, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise((resolve) => child.once("close", resolve));
  cleanup.add(async () => {
    child.kill("SIGTERM");
    await gone;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    child.stdout.resume();
    return JSON.parse(line);
  }
  throw new Error(`parhelion ${args[0]} did not start`);
}

export function run(args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve({ out, err });
      else reject(new Error(`node ${args.join(" ")} ended with ${code}\n${err}`));
    });
  });
}

export function lastJson(out) {
  return JSON.parse(out.trimEnd().split("\n").at(-1));
}
