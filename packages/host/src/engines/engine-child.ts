/** The engine's child process and its pipes: where an engine touches the operating system, and nothing more. */
import { spawn } from "node:child_process";
import type { Clock } from "parhelion-core";
import type { ToEngine } from "parhelion-protocol";
import { settledWithin } from "../deadline.js";
import { readLines } from "./lines.js";

export interface EngineProgram {
  readonly entry: string;
  readonly nodeFlags: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Where it is started, and may put its socket. Default: here. */
  readonly directory?: string | undefined;
}

/** Told one at a time, never from within the start or a call to the child. */
export interface EngineChildEvents {
  /** Not checked. */
  message(message: unknown): void;
  output(stream: "stdout" | "stderr", line: string): void;
  /** Called once, after everything else. @param error why there never was a process */
  ended(exitCode: number | null, signal: NodeJS.Signals | null, error?: string): void;
}

export interface EngineChild {
  readonly pid: number | undefined;
  /** Dropped when the child is gone. */
  send(message: ToEngine): void;
  /** Can't be refused. */
  kill(): void;
  /** Stops the process where it stands, all its threads, until `resume`. What is sent to it waits, and it can be killed. */
  pause(): void;
  resume(): void;
}

export type StartEngineChild = (
  clock: Clock,
  program: EngineProgram,
  events: EngineChildEvents,
) => EngineChild;

/** After a child's exit its last output may still be in the pipe; it is waited for this long, in ms. */
const lastWordsMs = 250;

export const startEngineChild: StartEngineChild = (clock, program, events) => {
  const child = spawn(process.execPath, [...program.nodeFlags, program.entry], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: program.environment,
    cwd: program.directory,
  });
  // First of all: without a listener an error ends the host.
  child.on("error", (error) => {
    // Without a pid there was no process and there will be no exit event.
    if (child.pid === undefined) events.ended(null, null, error.message);
  });
  // When there are no file descriptors left Node makes no pipes, whatever its types say.
  for (const stream of ["stdout", "stderr"] as const)
    if (child[stream]) readLines(child[stream], (line) => events.output(stream, line));
  child.on("message", (message) => events.message(message));
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  child.once("exit", (exitCode, signal) => {
    void settledWithin(clock, lastWordsMs, closed).then(() => events.ended(exitCode, signal));
  });
  return {
    pid: child.pid,
    send(message) {
      // A failed write means that the child is going; its exit settles whatever waits.
      if (child.connected) child.send(message, () => undefined);
    },
    kill() {
      child.kill("SIGKILL");
    },
    pause() {
      child.kill("SIGSTOP");
    },
    resume() {
      child.kill("SIGCONT");
    },
  };
};
