/** Walks from this command to a GPU and back, hop by hop, and stops at the first that is broken. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { AdapterWish, HostStatus } from "parhelion-host";
import { describeError } from "../command-error.js";
import { guestEnvironment } from "../guest/guest-environment.js";
import { type LocalGuest, startLocalGuest } from "../guest/local-guest.js";
import { nodesIn } from "../guest/run-directory.js";
import { type HostAccess, reachOrStartHost } from "../host/host-access.js";
import { type Hop, parseHop } from "./hop.js";

export interface WalkOptions {
  readonly state?: string | undefined;
  readonly adapter?: AdapterWish | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** Told of each hop as soon as it is known. */
  readonly onHop: (hop: Hop) => void;
  /** How long the program inside may take altogether, in ms. */
  readonly probeMs: number;
  /** Aborted when somebody does not want to wait any longer. */
  readonly signal: AbortSignal;
}

class Stopped extends Error {}

/** @returns true when every hop is ok */
export async function walk(options: WalkOptions): Promise<boolean> {
  const inside = options.environment["PARHELION_DIR"];
  try {
    if (inside !== undefined && inside !== "") {
      await checkInside(inside, options);
      return await runProbe(inside, options);
    }
    return await walkFromOutside(options);
  } catch (error) {
    if (error instanceof Stopped) return false;
    throw error;
  }
}

/** What a program in a guest can see of it before it asks for an adapter. */
async function checkInside(directory: string, options: WalkOptions): Promise<void> {
  const ended =
    "this guest has ended: start the command again with `parhelion run`, or a new `parhelion guest`";
  const nodes = await step(
    options,
    "guest kernel",
    ended,
    () => nodesIn(directory),
    () => `answers in ${directory}`,
  );
  await step(
    options,
    "device node",
    `its host has gone or took the vGPU back: start the host again; ${ended}`,
    async () => {
      if (nodes.length === 0) throw new Error(`the guest in ${directory} has no vGPU any more`);
      return nodes;
    },
    (names) => names.join(" "),
  );
}

async function walkFromOutside(options: WalkOptions): Promise<boolean> {
  const remedy = "run `parhelion host --log-level debug` to see why";
  const host = await step(
    options,
    "host",
    remedy,
    () => reachOrStartHost({ stateDirectory: options.state, adapter: options.adapter }),
    (found) =>
      found.kind === "running"
        ? `running in ${found.stateDirectory}`
        : "none was running; started a private one",
  );
  try {
    await step(
      options,
      "host's adapter",
      "choose another with --adapter",
      () => describeAdapters(host),
      (text) => text,
    );
    const guest = await step(
      options,
      "guest and channel",
      "is the host's vmbus.sock reachable, and not stopped by a limit?",
      () => startLocalGuest(host, { name: "doctor" }, () => undefined),
      (found) => `guest ${found.grant.id} connected`,
    );
    return await insideGuest(guest, host, options);
  } finally {
    await host.close();
  }
}

async function insideGuest(guest: LocalGuest, host: HostAccess, options: WalkOptions): Promise<boolean> {
  try {
    const remedy = "the host offered no slice, or the dxg driver did not bind: run with --log-level debug";
    await step(
      options,
      "device node",
      remedy,
      () => nodesOf(guest),
      (names) => names.join(" "),
    );
    if (!(await runProbe(guest.grant.directory, options))) return false;
    await step(
      options,
      "engine's sandbox",
      "",
      async () => sandboxOf(await host.status(), guest.grant.id),
      (measures) => (measures.length === 0 ? "none: this system offers nothing" : measures.join(", ")),
    );
    return true;
  } finally {
    await guest.end();
  }
}

async function nodesOf(guest: LocalGuest): Promise<readonly string[]> {
  await guest.kernel.settled();
  const { nodes } = guest.kernel;
  if (nodes.length === 0) throw new Error("no vGPU node appeared in the run directory");
  return nodes;
}

/** What has been taken away from the engines of a guest: less on a system that has not got all of it. */
function sandboxOf({ slices }: HostStatus, guest: string): readonly string[] {
  return slices.find((slice) => slice.guest === guest)?.engine.sandbox ?? [];
}

async function describeAdapters(host: HostAccess): Promise<string> {
  const { adapters } = await host.status();
  if (adapters.length === 0) throw new Error("the host has no adapter");
  return adapters.map(({ kind, description }) => `${description} (${kind})`).join(", ");
}

function hop(name: string, state: Hop["state"], detail: string, remedy = "", milliseconds = 0): Hop {
  return { hop: name, state, detail, remedy, milliseconds };
}

async function step<T>(
  options: WalkOptions,
  name: string,
  remedy: string,
  body: () => Promise<T>,
  detail: (value: T) => string,
): Promise<T> {
  const start = performance.now();
  try {
    const value = await body();
    options.onHop(hop(name, "ok", detail(value), "", performance.now() - start));
    return value;
  } catch (error) {
    const described = describeError(error);
    const advice = described.remedy || remedy;
    options.onHop(hop(name, "broken", described.message, advice, performance.now() - start));
    throw new Stopped(name, { cause: error });
  }
}

/** Runs the probe program with the guest's environment; its lines are hops. */
async function runProbe(directory: string, options: WalkOptions): Promise<boolean> {
  const program = fileURLToPath(new URL("./probe.js", import.meta.url));
  const child = spawn(process.execPath, [program], {
    stdio: ["ignore", "pipe", "inherit"],
    env: guestEnvironment(directory, options.environment),
    timeout: options.probeMs,
    killSignal: "SIGKILL",
  });
  const end = () => void child.kill("SIGKILL");
  options.signal.addEventListener("abort", end);
  if (options.signal.aborted) end();
  const exit = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  let last: Hop | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const found = parseHop(line);
    if (found === undefined) continue;
    last = found;
    options.onHop(found);
  }
  const { code, signal } = await exit;
  options.signal.removeEventListener("abort", end);
  if (code === 0) return true;
  if (last?.state !== "broken") {
    const how = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
    const after = last === undefined ? "at once" : `after "${last.hop}"`;
    options.onHop(
      hop(
        "program in the guest",
        "broken",
        `${how} ${after} (limit ${options.probeMs} ms)`,
        "run it under `parhelion run` to see what it prints",
      ),
    );
  }
  return false;
}
