/** The command that `run` runs: how it is started, which signals reach it, and what its end means for our exit status. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { CommandError } from "../command-error.js";
import type { IsolationLevel } from "./isolation.js";

export interface ChildOptions {
  readonly line: readonly string[];
  readonly level: IsolationLevel;
  readonly environment: NodeJS.ProcessEnv;
  readonly workingDirectory: string;
}

const FORWARDED: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/** Signals that ask this process to end, from its first moment on: before there is a command, they prevent it. */
export class Signals {
  #early: NodeJS.Signals | undefined;
  #take: (signal: NodeJS.Signals) => void = (signal) => {
    this.#early ??= signal;
  };
  readonly #hear = (signal: NodeJS.Signals) => this.#take(signal);

  constructor() {
    for (const signal of FORWARDED) process.on(signal, this.#hear);
  }

  /** The first that came before `forwardTo`. */
  get early(): NodeJS.Signals | undefined {
    return this.#early;
  }

  forwardTo(take: (signal: NodeJS.Signals) => void): void {
    this.#take = take;
  }

  dispose(): void {
    for (const signal of FORWARDED) process.off(signal, this.#hear);
  }
}

/**
 * Signals go to the command first, so that the guest outlives it and not the reverse.
 * @returns the command's exit status, 128 + number for a signal, as a shell has it
 * @throws CommandError command-not-started, with the status that a shell gives: 127 not found, 126 otherwise
 */
export function runChild(options: ChildOptions, signals: Signals): Promise<number> {
  if (signals.early !== undefined) return Promise.resolve(statusOf(null, signals.early));
  const { level, environment, workingDirectory } = options;
  const [file = "", ...args] = options.line;
  return new Promise((done, fail) => {
    const child = spawn(file, args, {
      stdio: "inherit",
      env: environment,
      cwd: workingDirectory,
      // A sandbox that shares our terminal could type into it.
      detached: level !== "none",
    });
    signals.forwardTo((signal) => {
      if (level !== "none") signalInside(child.pid, signal);
      // A terminal's Ctrl-C has reached the command already: two of them often mean "at once".
      else if (!(isFromKeyboard(signal) && isForeground())) child.kill(signal);
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === "ENOENT";
      const remedy = isMissing ? "check its name and PATH" : "is it an executable file?";
      const message = isMissing ? `${file}: command not found` : `cannot start ${file}: ${error.message}`;
      fail(
        new CommandError("command-not-started", message, remedy, {
          cause: error,
          exitStatus: isMissing ? 127 : 126,
        }),
      );
    });
    child.once("exit", (code, signal) => done(statusOf(code, signal)));
  });
}

function statusOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

function isFromKeyboard(signal: NodeJS.Signals): boolean {
  return signal === "SIGINT" || signal === "SIGQUIT";
}

/** Whether we are in the foreground process group of a terminal, which the terminal signals as a whole. */
function isForeground(): boolean {
  const fields = statOf("self");
  const [, , group, , , foreground] = fields;
  return group !== undefined && group === foreground;
}

/**
 * `bwrap` ends with everything in it when it gets a signal, `unshare` ignores it: the command itself has to get it. Both are two
 * processes above: themselves and the first of the new pid namespace.
 */
function signalInside(outermost: number | undefined, signal: NodeJS.Signals): void {
  if (outermost === undefined) return;
  const commands = childrenOf(outermost).flatMap(childrenOf);
  // Not there yet, or not visible here: whatever it is, it ends.
  if (commands.length === 0) kill(outermost, "SIGKILL");
  for (const pid of commands) kill(pid, signal);
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return text.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** state, parent, process group, session, terminal, the terminal's foreground group: proc(5). */
function statOf(pid: string): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
