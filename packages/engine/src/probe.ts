/** Whether an environment has a usable adapter is found out by starting an engine in it: nothing else is as sure. */
import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type AdapterDescription,
  type Clock,
  type FromEngine,
  isProtocolError,
  noSlice,
  parseFromEngine,
  platformClock,
  type ToEngine,
} from "parhelion-protocol";
import { type AdapterKind, createEngineLauncher, type EngineLauncher } from "./launcher.js";

export interface ProbeOptions {
  readonly adapter: AdapterKind;
  readonly launcher?: EngineLauncher;
  /** Dawn's switches, for example `adapter=…`. */
  readonly dawn?: readonly string[];
  /** Milliseconds until the engine must have answered. Default 60 000: a driver's first start can compile for long. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

export type ProbeResult =
  | { readonly outcome: "found"; readonly adapter: AdapterDescription }
  | { readonly outcome: "none"; readonly reason: string };

/** Never rejects, and leaves neither process nor file behind. */
export async function probeAdapter(options: ProbeOptions): Promise<ProbeResult> {
  const launcher = options.launcher ?? createEngineLauncher();
  try {
    const environment = await launcher.environmentFor(options.adapter);
    const directory = await mkdtemp(join(tmpdir(), "parhelion-probe-"));
    try {
      return await ask(launcher.entry, environment, join(directory, "q"), options);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  } catch (error) {
    return { outcome: "none", reason: error instanceof Error ? error.message : String(error) };
  }
}

async function ask(
  entry: string,
  environment: NodeJS.ProcessEnv,
  queuePath: string,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const clock = options.clock ?? platformClock;
  const deadlineMs = options.deadlineMs ?? 60_000;
  const child = fork(entry, {
    cwd: dirname(queuePath),
    env: environment,
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const answer = new Promise<ProbeResult>((resolve) => {
    const none = (reason: string) => resolve({ outcome: "none", reason });
    child.once("message", (raw) => resolve(interpret(raw)));
    child.once("exit", (code, signal) => none(`the engine ended with ${signal ?? `code ${code}`}`));
    child.once("error", (error) => none(error.message));
    const timer = clock.setTimer(deadlineMs, () => none(`no answer within ${deadlineMs} ms`));
    child.once("exit", () => timer.cancel());
  });
  const start: ToEngine = {
    op: "start",
    queuePath,
    dawn: options.dawn ?? [],
    forceFallback: false,
    ...noSlice,
  };
  child.send(start, () => undefined);
  const result = await answer;
  child.kill("SIGTERM");
  const timer = clock.setTimer(2000, () => child.kill("SIGKILL"));
  await exited;
  timer.cancel();
  return result;
}

function interpret(raw: unknown): ProbeResult {
  let message: FromEngine;
  try {
    message = parseFromEngine(raw);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return { outcome: "none", reason: error.message };
  }
  if (message.op === "ready") return { outcome: "found", adapter: message.adapter };
  const reason =
    message.op === "failed" ? message.message : `the engine answered "${message.op}" to its start`;
  return { outcome: "none", reason };
}
