/** The device that somebody means by its name on its bus, by the beginning of that name, by a devpath or by a path below /sys. */
import { isControlError, type SysClient } from "parhelion-protocol";
import { CommandError } from "../command-error.js";
import { closest } from "./nearby.js";
import { nameOf, ROOT, resolveLink, sysPath } from "./path.js";
import { realPath } from "./real-path.js";

export interface FoundDevice {
  readonly name: string;
  readonly bus: string;
  /** Below /sys/devices. */
  readonly path: string;
}

/** More names than that help nobody. */
const most = 8;

/**
 * @param driver narrows a name that several buses know to the buses that have this driver
 * @throws CommandError ENODEV, EINVAL (several are meant, or no driver can bind to it)
 */
export function findDevice(client: SysClient, word: string, driver?: string): Promise<FoundDevice> {
  return word.includes("/") ? atPath(client, sysPath(word)) : byName(client, word, driver);
}

async function atPath(client: SysClient, word: string): Promise<FoundDevice> {
  const path = await realPath(client, word);
  const subsystem = await linkAt(client, `${path}/subsystem`);
  const [, bus] = /^\/sys\/bus\/([^/]+)$/.exec(subsystem ?? "") ?? [];
  if (bus !== undefined) return { name: nameOf(path), bus, path };
  const what = subsystem === undefined ? "it is no device" : `it belongs to ${subsystem}, which is no bus`;
  throw new CommandError(
    "EINVAL",
    `EINVAL: no driver binds to ${path}: ${what}`,
    `name a device of a bus: \`parhelion tree ${ROOT}/bus\` shows them`,
  );
}

async function byName(client: SysClient, word: string, driver: string | undefined): Promise<FoundDevice> {
  const all = await busDevices(client);
  const exact = all.filter(({ name }) => name === word);
  const found = exact.length > 0 ? exact : all.filter(({ name }) => word !== "" && name.startsWith(word));
  const narrowed = driver === undefined || found.length < 2 ? found : await having(client, found, driver);
  const [device] = narrowed;
  if (device === undefined) throw noDevice(word, all);
  if (narrowed.length === 1) return device;
  const candidates = narrowed.slice(0, most).map(({ path }) => path);
  const more = narrowed.length > most ? ` and ${narrowed.length - most} more` : "";
  throw new CommandError(
    "EINVAL",
    `EINVAL: ${narrowed.length} devices are called ${word}: ${candidates.join(", ")}${more}`,
    "name one of them by its path",
  );
}

function noDevice(word: string, all: readonly FoundDevice[]): CommandError {
  const names = all.map(({ name }) => name);
  const [best] = closest(word, names);
  const listed = all.slice(0, most).map(({ bus, name }) => `${name} (${bus})`);
  const more = all.length > most ? ` and ${all.length - most} more` : "";
  const there = all.length === 0 ? "there are none now" : `there are ${listed.join(", ")}${more}`;
  const remedy = best === undefined ? there : `did you mean ${best}? ${there}`;
  return new CommandError("ENODEV", `ENODEV: no bus has a device ${word}`, remedy);
}

async function busDevices(client: SysClient): Promise<readonly FoundDevice[]> {
  const found: FoundDevice[] = [];
  for (const { name: bus } of await client.list(`${ROOT}/bus`)) {
    const directory = `${ROOT}/bus/${bus}/devices`;
    for (const { name, target } of await client.list(directory))
      found.push({ name, bus, path: resolveLink(`${directory}/${name}`, target) });
  }
  return found;
}

async function having(
  client: SysClient,
  found: readonly FoundDevice[],
  driver: string,
): Promise<FoundDevice[]> {
  const kept: FoundDevice[] = [];
  for (const device of found) {
    const drivers = await client.list(`${ROOT}/bus/${device.bus}/drivers`);
    if (drivers.some(({ name }) => name === driver)) kept.push(device);
  }
  return kept.length === 0 ? [...found] : kept;
}

/** Where a link points; undefined where there is none. */
export async function linkAt(client: SysClient, path: string): Promise<string | undefined> {
  try {
    const { kind, target } = await client.stat(path);
    return kind === "link" ? resolveLink(path, target) : undefined;
  } catch (error) {
    if (isControlError(error, "ENOENT")) return undefined;
    throw error;
  }
}
