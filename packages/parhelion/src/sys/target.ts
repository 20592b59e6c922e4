/** Whose device tree a command is about, and the connection to it: the host's, a guest's from outside, or the guest's that one is in. */
import { join } from "node:path";
import { defaultStateDirectory, type GuestStatus } from "parhelion-host";
import { SYS_SOCKET, SysClient } from "parhelion-protocol";
import { CommandError } from "../command-error.js";
import type { CommandErrorCode } from "../error-codes.js";
import { reachHost } from "../host/host-access.js";
import type { Terminal } from "../terminal.js";

export interface TreeWish {
  readonly state?: string;
  /** Name or id of a guest of the host. */
  readonly guest?: string;
  /** The host's, also where the environment names a guest. */
  readonly host?: boolean;
}

export interface TreeAccess {
  readonly client: SysClient;
  /** For messages: "the host in /tmp/parhelion-0", "guest painter". */
  readonly where: string;
}

/** @throws CommandError no-host, no-guest, ambiguous-guest, guest-remote, guest-without-kernel, tree-unreachable */
export async function reachTree(wish: TreeWish, { environment }: Terminal): Promise<TreeAccess> {
  const { guest, host, state } = wish;
  const inside = environment["PARHELION_DIR"] ?? "";
  if (guest !== undefined) {
    const found = await findGuest(guest, state);
    return connect(found.directory, `guest ${found.name === "" ? found.id : found.name}`, {
      code: "guest-without-kernel",
      remedy: "its kernel is `parhelion guest` or `parhelion run`: look whether that one still runs",
    });
  }
  if (inside !== "" && host !== true) {
    return connect(inside, `the guest in ${inside}`, {
      code: "guest-without-kernel",
      remedy: "PARHELION_DIR names it: start the guest again, or ask the host with --host",
    });
  }
  const directory = state ?? defaultStateDirectory();
  return connect(directory, `the host in ${directory}`, {
    code: "no-host",
    remedy: "start one with `parhelion host`, or name its directory with --state",
  });
}

interface Absence {
  readonly code: CommandErrorCode;
  readonly remedy: string;
}

/** Nobody listens there. */
const NOBODY: readonly unknown[] = ["ENOENT", "ENOTDIR", "ECONNREFUSED"];

async function connect(directory: string, where: string, absence: Absence): Promise<TreeAccess> {
  const path = join(directory, SYS_SOCKET);
  try {
    return { client: await SysClient.connect(path, { name: "parhelion" }), where };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (NOBODY.includes(code))
      throw new CommandError(absence.code, `nobody serves the device tree of ${where}`, absence.remedy, {
        cause: error,
      });
    const remedy = code === "EACCES" ? "run it as the user whose tree it is" : "look at its log";
    throw new CommandError("tree-unreachable", `cannot reach ${where} at ${path}: ${message}`, remedy, {
      cause: error,
    });
  }
}

async function findGuest(word: string, stateDirectory: string | undefined): Promise<GuestStatus> {
  const host = await reachHost({ stateDirectory });
  let guests: readonly GuestStatus[];
  try {
    ({ guests } = await host.status());
  } finally {
    await host.close();
  }
  const found = matching(guests, word);
  const [guest] = found;
  if (guest === undefined) {
    const remedy = guests.length === 0 ? "there is none now" : `there are ${guests.map(called).join(", ")}`;
    throw new CommandError("no-guest", `there is no guest ${word}`, remedy);
  }
  if (found.length > 1)
    throw new CommandError(
      "ambiguous-guest",
      `${word} is ${found.length} guests: ${found.map(called).join(", ")}`,
      "name one by its id",
    );
  if (guest.connection === "remote")
    throw new CommandError(
      "guest-remote",
      `guest ${called(guest)} is on another machine, and its device tree with it`,
      "run the command there, with PARHELION_DIR set to the guest's directory",
    );
  return guest;
}

/** By id, else by name, else by the beginning of an id. */
function matching(guests: readonly GuestStatus[], word: string): readonly GuestStatus[] {
  const ways: readonly ((guest: GuestStatus) => boolean)[] = [
    ({ id }) => id === word,
    ({ name }) => name !== "" && name === word,
    ({ id }) => word !== "" && id.startsWith(word),
  ];
  return ways.map((way) => guests.filter(way)).find((found) => found.length > 0) ?? [];
}

function called({ id, name }: GuestStatus): string {
  return name === "" ? id : `${id} (${name})`;
}
