/**
 * How commands reach a host: the daemon that runs on the state directory, or, where a command may do without one, a
 * private host that lives in this process as long as the command does.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "parhelion-core";
import { createEngineLauncher } from "parhelion-engine";
import {
  type AdapterWish,
  AdminClient,
  defaultStateDirectory,
  type EventPage,
  type Host,
  type HostStatus,
  type SliceWish,
  startHost,
} from "parhelion-host";
import { CommandError } from "../command-error.js";

export interface GuestGrant {
  readonly id: string;
  readonly directory: string;
  /** 64 hex digits: whoever has it is this guest. */
  readonly credential: string;
  /** Unix socket where the guest kernel connects. */
  readonly vmbus: string;
}

export interface GuestWish {
  /** For people. */
  readonly name?: string | undefined;
  /** "connected": the host removes it when its kernel stays away. Default "kept". */
  readonly lifetime?: "kept" | "connected";
  /** How many slices it holds from the start. Default 1. */
  readonly slices?: number | undefined;
  /** What each of them is. */
  readonly descriptor?: SliceWish;
}

export interface HostAccess {
  /** `running`: a daemon answered. `private`: ends with `close`. */
  readonly kind: "running" | "private";
  readonly stateDirectory: string;
  createGuest(wish: GuestWish): Promise<GuestGrant>;
  /** Also of a host that was started again in the meantime. */
  removeGuest(id: string): Promise<void>;
  status(): Promise<HostStatus>;
  /** What happened after event `since`; waits up to `waitMs` when that is nothing. */
  events(since: number, waitMs: number): Promise<EventPage>;
  /** Any method of the admin socket, once. */
  ask(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown>;
  close(): Promise<void>;
}

export interface HostWish {
  readonly stateDirectory?: string | undefined;
  readonly adapter?: AdapterWish | undefined;
}

/** @throws CommandError no-host */
export async function reachHost(wish: HostWish): Promise<HostAccess> {
  const stateDirectory = wish.stateDirectory ?? defaultStateDirectory();
  const admin = await connect(stateDirectory);
  if (admin === undefined) {
    throw new CommandError(
      "no-host",
      `no host answers in ${stateDirectory}`,
      "start one with `parhelion host`, or name its directory with --state",
    );
  }
  return access("running", stateDirectory, admin, async () => admin.close());
}

/**
 * The running host, or else a private one with the wished adapter.
 * @throws CommandError other-adapter when the running host has not what is wished
 */
export async function reachOrStartHost(wish: HostWish): Promise<HostAccess> {
  const stateDirectory = wish.stateDirectory ?? defaultStateDirectory();
  const admin = await connect(stateDirectory);
  if (admin === undefined) return startPrivateHost(wish);
  const host = access("running", stateDirectory, admin, async () => admin.close());
  try {
    if (wish.adapter !== undefined) checkAdapter(await host.status(), wish.adapter);
    return host;
  } catch (error) {
    await host.close();
    throw error;
  }
}

function checkAdapter({ adapters, pid, stateDirectory }: HostStatus, wish: AdapterWish): void {
  const isMeant = adapters.some(
    ({ kind, description }) =>
      wish === "best" || wish === kind || description.toLowerCase().includes(wish.toLowerCase()),
  );
  if (isMeant) return;
  const there = adapters.map(({ kind, description }) => `${description} (${kind})`).join(", ");
  throw new CommandError(
    "other-adapter",
    `the host with pid ${pid} in ${stateDirectory} has ${there}, not "${wish}"`,
    "leave --adapter away, start that host anew with it, or name another state directory with --state",
  );
}

async function startPrivateHost(wish: HostWish): Promise<HostAccess> {
  // Short, because Unix socket paths end at 107 bytes.
  const stateDirectory = await mkdtemp(join(tmpdir(), "parhelion-"));
  let host: Host | undefined;
  const end = async () => {
    await host?.stop();
    await rm(stateDirectory, { recursive: true, force: true });
  };
  try {
    host = await startHost({
      launcher: createEngineLauncher(),
      stateDirectory,
      store: "memory",
      ...(wish.adapter === undefined ? {} : { adapter: wish.adapter }),
    });
    const admin = await AdminClient.connect(join(stateDirectory, "admin.sock"), systemClock);
    return access("private", stateDirectory, admin, async () => {
      admin.close();
      await end();
    });
  } catch (error) {
    await end();
    throw error;
  }
}

/** `sun_path` in struct sockaddr_un is 108 bytes on Linux, the terminating zero included. */
const maxSocketPathBytes = 107;
/** Nobody listens there: the caller decides what that means. */
const NOBODY: readonly unknown[] = ["ENOENT", "ENOTDIR", "ECONNREFUSED"];

async function connect(stateDirectory: string): Promise<AdminClient | undefined> {
  const path = join(stateDirectory, "admin.sock");
  const bytes = Buffer.byteLength(path);
  if (bytes > maxSocketPathBytes) {
    throw new CommandError(
      "socket-path-too-long",
      `socket path ${path} has ${bytes} bytes, a Unix socket's path at most ${maxSocketPathBytes}`,
      "use a shorter state directory",
    );
  }
  try {
    return await AdminClient.connect(path, systemClock);
  } catch (error) {
    const { cause, message } = error as Error;
    if (NOBODY.includes((cause as NodeJS.ErrnoException | undefined)?.code)) return undefined;
    throw new CommandError("host-unreachable", message, "run it as the user who runs the host", {
      cause: error,
    });
  }
}

function access(
  kind: HostAccess["kind"],
  stateDirectory: string,
  admin: AdminClient,
  close: () => Promise<void>,
): HostAccess {
  const again = async (method: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> => {
    try {
      return await admin.request(method, params);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "host-gone") throw error;
      const next = await connect(stateDirectory);
      if (next === undefined) throw error;
      try {
        return await next.request(method, params);
      } finally {
        next.close();
      }
    }
  };
  return {
    kind,
    stateDirectory,
    ask: (method, params) => admin.request(method, params),
    createGuest: async (wish) => (await admin.request("guestCreate", { ...wish })) as GuestGrant,
    removeGuest: async (id) => {
      await again("guestRemove", { id });
    },
    events: async (since, waitMs) => (await admin.request("events", { since, waitMs })) as EventPage,
    status: async () => (await again("status")) as HostStatus,
    close,
  };
}
