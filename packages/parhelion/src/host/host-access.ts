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
  type Host,
  type HostStatus,
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

export interface HostAccess {
  /** `running`: a daemon answered. `private`: ends with `close`. */
  readonly kind: "running" | "private";
  readonly stateDirectory: string;
  createGuest(name: string | undefined): Promise<GuestGrant>;
  removeGuest(id: string): Promise<void>;
  status(): Promise<HostStatus>;
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

/** The running host, or else a private one with the wished adapter. */
export async function reachOrStartHost(wish: HostWish): Promise<HostAccess> {
  const stateDirectory = wish.stateDirectory ?? defaultStateDirectory();
  const admin = await connect(stateDirectory);
  if (admin !== undefined) return access("running", stateDirectory, admin, async () => admin.close());
  return startPrivateHost(wish);
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

async function connect(stateDirectory: string): Promise<AdminClient | undefined> {
  try {
    return await AdminClient.connect(join(stateDirectory, "admin.sock"), systemClock);
  } catch {
    // Nobody listens there: the caller decides what that means.
    return undefined;
  }
}

function access(
  kind: HostAccess["kind"],
  stateDirectory: string,
  admin: AdminClient,
  close: () => Promise<void>,
): HostAccess {
  return {
    kind,
    stateDirectory,
    createGuest: async (name) =>
      (await admin.request("guestCreate", name === undefined ? {} : { name })) as GuestGrant,
    removeGuest: async (id) => {
      await admin.request("guestRemove", { id });
    },
    status: async () => (await admin.request("status")) as HostStatus,
    close,
  };
}
