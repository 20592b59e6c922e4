/** `parhelion run`: a guest around one command. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type AdapterWish, defaultStateDirectory } from "parhelion-host";
import { CommandError } from "../command-error.js";
import { clientDirectories, guestEnvironment } from "../guest/guest-environment.js";
import { hostNews } from "../guest/host-news.js";
import { startLocalGuest } from "../guest/local-guest.js";
import { reachOrStartHost } from "../host/host-access.js";
import type { ChosenLogLevel } from "../log-levels.js";
import { logAt } from "../logging.js";
import { runChild, Signals } from "../run/child.js";
import { isolatedEnvironment } from "../run/isolated-environment.js";
import {
  type Isolation,
  type IsolationLevel,
  isolatedCommand,
  isolationOf,
  strongestIsolation,
} from "../run/isolation.js";
import { type GuestLimitOptions, guestLimits } from "../slice/guest-limits.js";
import type { Terminal } from "../terminal.js";

export interface RunCommand extends GuestLimitOptions {
  readonly command: readonly string[];
  readonly state?: string;
  readonly adapter?: string;
  readonly name?: string;
  /** True: the strongest that works here. A level: that one or a refusal. */
  readonly isolate?: true | IsolationLevel;
  readonly visible?: readonly string[];
  readonly writable?: readonly string[];
  readonly carrier?: string;
  readonly logLevel: ChosenLogLevel;
}

export async function runCommand(options: RunCommand, terminal: Terminal): Promise<number> {
  const isolation = chooseIsolation(options.isolate);
  const readOnly = pathsOf(options.visible, "--visible", terminal);
  const writable = pathsOf(options.writable, "--writable", terminal);
  if (options.isolate !== undefined && isolation.weaker.length > 0) {
    const what = isolation.level === "none" ? "not isolated" : `isolated by ${isolation.level} only`;
    terminal.err(`parhelion: ${what}: ${isolation.weaker.join("; ")}`);
  }
  const signals = new Signals();
  try {
    const host = await reachOrStartHost({
      stateDirectory: options.state,
      adapter: options.adapter as AdapterWish | undefined,
    });
    try {
      const guest = await startLocalGuest(
        host,
        { name: options.name, ...guestLimits(options) },
        logAt(options.logLevel),
      );
      try {
        const { directory } = guest.grant;
        guest.kernel.onStateChange((state, reason) => terminal.err(`parhelion: ${hostNews(state, reason)}`));
        const environment = isolatedEnvironment(isolation.level, {
          ...guestEnvironment(directory, terminal.environment),
          ...(options.carrier === undefined ? {} : { PARHELION_CARRIER: options.carrier }),
        });
        const { workingDirectory } = terminal;
        const visible = {
          runDirectory: directory,
          readOnly: [...clientDirectories(), workingDirectory, ...readOnly],
          writable,
          hidden: [host.stateDirectory, defaultStateDirectory()]
            .map((path) => resolve(workingDirectory, path))
            .filter((path) => existsSync(path)),
          workingDirectory,
        };
        const line = isolatedCommand(isolation.level, visible, options.command);
        return await runChild({ line, level: isolation.level, environment, workingDirectory }, signals);
      } finally {
        await guest.end();
      }
    } finally {
      await host.close();
    }
  } finally {
    signals.dispose();
  }
}

/** @throws CommandError path-missing */
function pathsOf(paths: readonly string[] = [], option: string, terminal: Terminal): string[] {
  return paths.map((given) => {
    const path = resolve(terminal.workingDirectory, given);
    if (existsSync(path)) return path;
    throw new CommandError(
      "path-missing",
      `${option} ${given}: there is no ${path}`,
      "name a path that exists",
    );
  });
}

/** @throws CommandError isolation-unavailable */
function chooseIsolation(wish: true | IsolationLevel | undefined): Isolation {
  if (wish === undefined) return isolationOf("none");
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
