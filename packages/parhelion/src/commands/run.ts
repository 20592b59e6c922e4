/** `parhelion run`: a guest around one command. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { resolve } from "node:path";
import type { AdapterWish } from "parhelion-host";
import { CommandError } from "../command-error.js";
import { clientDirectories, guestEnvironment } from "../guest/guest-environment.js";
import { startLocalGuest } from "../guest/local-guest.js";
import { reachOrStartHost } from "../host/host-access.js";
import { type ChosenLogLevel, logAt } from "../logging.js";
import {
  type Isolation,
  type IsolationLevel,
  isolatedCommand,
  isolationOf,
  strongestIsolation,
} from "../run/isolation.js";
import type { Terminal } from "../terminal.js";

export interface RunCommand {
  readonly command: readonly string[];
  readonly state?: string;
  readonly adapter?: string;
  readonly name?: string;
  /** True: the strongest that works here. A level: that one or a refusal. */
  readonly isolate: boolean | IsolationLevel;
  readonly visible: readonly string[];
  readonly writable: readonly string[];
  readonly carrier?: string;
  readonly logLevel: ChosenLogLevel;
}

export async function runCommand(options: RunCommand, terminal: Terminal): Promise<number> {
  const isolation = chooseIsolation(options.isolate);
  if (options.isolate !== false && isolation.weaker.length > 0) {
    terminal.err(`parhelion: isolated by ${isolation.level} only: ${isolation.weaker.join("; ")}`);
  }
  const host = await reachOrStartHost({
    stateDirectory: options.state,
    adapter: options.adapter as AdapterWish | undefined,
  });
  try {
    const guest = await startLocalGuest(host, options.name, logAt(options.logLevel));
    try {
      const environment = {
        ...guestEnvironment(guest.grant.directory, terminal.environment),
        ...(options.carrier === undefined ? {} : { PARHELION_CARRIER: options.carrier }),
      };
      const line = isolatedCommand(
        isolation.level,
        {
          runDirectory: guest.grant.directory,
          readOnly: [
            ...clientDirectories(),
            terminal.workingDirectory,
            ...options.visible.map((path) => resolve(path)),
          ],
          writable: options.writable.map((path) => resolve(path)),
          workingDirectory: terminal.workingDirectory,
        },
        options.command,
      );
      return await runChild(line, environment, terminal.workingDirectory);
    } finally {
      await guest.end();
    }
  } finally {
    await host.close();
  }
}

/** @throws CommandError isolation-unavailable */
function chooseIsolation(wish: boolean | IsolationLevel): Isolation {
  if (wish === false) return isolationOf("none");
  if (wish === true) return strongestIsolation();
  const strongest = strongestIsolation();
  const order: readonly IsolationLevel[] = ["none", "namespaces", "bubblewrap"];
  if (order.indexOf(strongest.level) < order.indexOf(wish)) {
    throw new CommandError(
      "isolation-unavailable",
      `--isolate=${wish} is not possible here; the strongest that works is ${strongest.level}`,
      strongest.weaker.join("; "),
    );
  }
  return isolationOf(wish);
}

/**
 * The command's exit status, 128 + number for a signal, as a shell has it. Signals that ask this process to end go to
 * the command first, so that the guest outlives it and not the reverse.
 */
function runChild(line: readonly string[], environment: NodeJS.ProcessEnv, cwd: string): Promise<number> {
  const [file = "", ...args] = line;
  return new Promise((done, fail) => {
    const child = spawn(file, args, { stdio: "inherit", env: environment, cwd });
    const forward = (signal: NodeJS.Signals) => {
      child.kill(signal);
    };
    const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    const settle = (finish: () => void) => {
      for (const signal of signals) process.off(signal, forward);
      finish();
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      const remedy = error.code === "ENOENT" ? "check the name and PATH" : "see the message";
      settle(() =>
        fail(new CommandError("command-not-started", `cannot start ${file}: ${error.message}`, remedy)),
      );
    });
    child.once("exit", (code, signal) => {
      settle(() => done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  });
}
