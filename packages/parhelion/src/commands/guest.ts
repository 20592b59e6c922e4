/** `parhelion guest`: a guest kernel as a daemon, serving a process tree; and the granting of guests for it. */
import { readFile } from "node:fs/promises";
import type { Address } from "../address.js";
import { CommandError } from "../command-error.js";
import { continueInBackground } from "../guest/background.js";
import { guestExports, registerHook } from "../guest/guest-environment.js";
import { refusal } from "../guest/host-news.js";
import { startLocalGuest } from "../guest/local-guest.js";
import { startKernel } from "../guest/start-kernel.js";
import { reachHost } from "../host/host-access.js";
import type { ChosenLogLevel } from "../log-levels.js";
import { logAt } from "../logging.js";
import { type GuestLimitOptions, guestLimits } from "../slice/guest-limits.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";

export interface GuestServeCommand extends GuestLimitOptions {
  readonly state?: string;
  readonly name?: string;
  /** A host on another machine. Needs `credentialFile` and `directory`. */
  readonly connect?: Address;
  readonly credentialFile?: string;
  readonly directory?: string;
  readonly background?: boolean;
  readonly logLevel: ChosenLogLevel;
  readonly json?: boolean;
}

interface Serving {
  readonly directory: string;
  /** The host will never take this guest back. */
  readonly refused: Promise<CommandError>;
  end(): Promise<void>;
}

export async function guestServe(options: GuestServeCommand, terminal: Terminal): Promise<number> {
  if (options.background === true) return continueInBackground(terminal);
  const end = untilAskedToEnd();
  try {
    const serving =
      options.connect === undefined ? await serveLocal(options) : await serveRemote(options, options.connect);
    try {
      tell(serving.directory, options.json === true, terminal);
      const why = await Promise.race([end.signal, serving.refused]);
      if (why instanceof CommandError) throw why;
      return 0;
    } finally {
      await serving.end();
    }
  } finally {
    end.dispose();
  }
}

async function serveLocal(options: GuestServeCommand): Promise<Serving> {
  const host = await reachHost({ stateDirectory: options.state });
  try {
    const guest = await startLocalGuest(
      host,
      { name: options.name, ...guestLimits(options) },
      logAt(options.logLevel),
    );
    return {
      directory: guest.grant.directory,
      refused: refusal(guest.kernel),
      end: async () => {
        await guest.end();
        await host.close();
      },
    };
  } catch (error) {
    await host.close();
    throw error;
  }
}

async function serveRemote(options: GuestServeCommand, connect: Address): Promise<Serving> {
  const { credentialFile = "", directory = "" } = options;
  const { host = "127.0.0.1", port } = connect;
  const kernel = await startKernel({
    connect: { host, port },
    credential: await readCredential(credentialFile),
    directory,
    log: logAt(options.logLevel),
    ...(options.name === undefined ? {} : { name: options.name }),
  });
  return { directory, refused: refusal(kernel), end: () => kernel.stop() };
}

/** @throws CommandError no-credential */
async function readCredential(file: string): Promise<string> {
  const remedy = "put the credential that `parhelion guest create --json` prints on the host into this file";
  let text: string;
  try {
    text = (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new CommandError(
      "no-credential",
      `cannot read the credential: ${(error as Error).message}`,
      remedy,
      {
        cause: error,
      },
    );
  }
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new CommandError("no-credential", `${file} holds no credential: that is 64 hex digits`, remedy);
}

function tell(directory: string, json: boolean, terminal: Terminal): void {
  const { pid } = process;
  if (json) {
    terminal.out(JSON.stringify({ event: "ready", pid, directory, register: registerHook() }));
    return;
  }
  terminal.out(guestExports(directory, pid).join("\n"));
  if (terminal.watched)
    terminal.err("guest ready: programs started with these variables see its GPUs (Ctrl-C ends it)");
}

export interface GuestCreateCommand extends GuestLimitOptions {
  readonly state?: string;
  readonly name?: string;
  readonly json?: boolean;
}

export async function guestCreate(options: GuestCreateCommand, terminal: Terminal): Promise<number> {
  const host = await reachHost({ stateDirectory: options.state });
  try {
    const grant = await host.createGuest({ name: options.name, ...guestLimits(options) });
    terminal.out(options.json ? JSON.stringify(grant) : `${grant.id} ${grant.credential}`);
    return 0;
  } finally {
    await host.close();
  }
}

export interface GuestRemoveCommand {
  readonly state?: string;
  readonly id: string;
  readonly json?: boolean;
}

export async function guestRemove(options: GuestRemoveCommand, terminal: Terminal): Promise<number> {
  const host = await reachHost({ stateDirectory: options.state });
  try {
    await host.removeGuest(options.id);
    if (options.json) terminal.out(JSON.stringify({ removed: options.id }));
    return 0;
  } finally {
    await host.close();
  }
}
