/** `parhelion guest`: a guest kernel as a daemon, serving a process tree; and the granting of guests for it. */
import { readFile } from "node:fs/promises";
import { type GuestKernel, startGuestKernel } from "parhelion-guest";
import { CommandError } from "../command-error.js";
import { registerHook } from "../guest/guest-environment.js";
import { startLocalGuest } from "../guest/local-guest.js";
import { reachHost } from "../host/host-access.js";
import { type ChosenLogLevel, logAt } from "../logging.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";
import { parseAddress } from "./host.js";

export interface GuestServeCommand {
  readonly state?: string;
  readonly name?: string;
  /** A host on another machine. Needs `credentialFile` and `directory`. */
  readonly connect?: string;
  readonly credentialFile?: string;
  readonly directory?: string;
  readonly logLevel: ChosenLogLevel;
  readonly json: boolean;
}

interface Serving {
  readonly directory: string;
  readonly ended: Promise<unknown>;
  end(): Promise<void>;
}

export async function guestServe(options: GuestServeCommand, terminal: Terminal): Promise<number> {
  const end = untilAskedToEnd();
  try {
    const serving =
      options.connect === undefined ? await serveLocal(options) : await serveRemote(options, options.connect);
    try {
      tell(serving.directory, options.json, terminal);
      const why = await Promise.race([end.signal, serving.ended.then(() => "host-gone" as const)]);
      if (why !== "host-gone") return 0;
      throw new CommandError(
        "host-gone",
        "the host ended the connection",
        "start the host again, then this guest",
      );
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
    const guest = await startLocalGuest(host, options.name, logAt(options.logLevel));
    return {
      directory: guest.grant.directory,
      ended: disconnected(guest.kernel),
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

async function serveRemote(options: GuestServeCommand, connect: string): Promise<Serving> {
  const { credentialFile, directory } = options;
  if (credentialFile === undefined || directory === undefined) {
    throw new CommandError(
      "missing-option",
      "--connect needs --credential-file and --directory",
      "create the guest on the host with `parhelion guest create --json`, copy its credential into a file here, and name an empty directory",
    );
  }
  const { host = "127.0.0.1", port } = parseAddress(connect);
  const kernel = await startGuestKernel({
    connect: { host, port },
    credential: (await readFile(credentialFile, "utf8")).trim(),
    directory,
    log: logAt(options.logLevel),
    ...(options.name === undefined ? {} : { name: options.name }),
  });
  return { directory, ended: disconnected(kernel), end: () => kernel.stop() };
}

function disconnected(kernel: GuestKernel): Promise<Error> {
  return new Promise((resolve) => kernel.onDisconnect(resolve));
}

function tell(directory: string, json: boolean, terminal: Terminal): void {
  const hook = registerHook();
  if (json) {
    terminal.out(JSON.stringify({ event: "ready", directory, register: hook }));
    return;
  }
  terminal.out(`export PARHELION_DIR=${quote(directory)}`);
  terminal.out(`export NODE_OPTIONS=${quote(`--import=${hook}`)}`);
  if (terminal.watched)
    terminal.err("guest ready; programs started with these two lines see its GPUs (Ctrl-C ends it)");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export interface GuestCreateCommand {
  readonly state?: string;
  readonly name?: string;
  readonly json: boolean;
}

export async function guestCreate(options: GuestCreateCommand, terminal: Terminal): Promise<number> {
  const host = await reachHost({ stateDirectory: options.state });
  try {
    const grant = await host.createGuest(options.name);
    terminal.out(options.json ? JSON.stringify(grant) : `${grant.id} ${grant.credential}`);
    return 0;
  } finally {
    await host.close();
  }
}

export async function guestRemove(options: {
  readonly state?: string;
  readonly id: string;
}): Promise<number> {
  const host = await reachHost({ stateDirectory: options.state });
  try {
    await host.removeGuest(options.id);
    return 0;
  } finally {
    await host.close();
  }
}
