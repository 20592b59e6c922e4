/** `parhelion bind` and `parhelion unbind`: which driver has a device, decided by hand, through the driver's own attributes. */
import type { SysClient } from "parhelion-protocol";
import { CommandError } from "../command-error.js";
import { asking } from "../sys/explain.js";
import { type FoundDevice, findDevice, linkAt } from "../sys/find-device.js";
import { closest } from "../sys/nearby.js";
import { nameOf, ROOT } from "../sys/path.js";
import { reachTree, type TreeWish } from "../sys/target.js";
import type { Terminal } from "../terminal.js";

export interface BindCommand extends TreeWish {
  readonly device: string;
  readonly driver: string;
  readonly json?: boolean;
}

export interface UnbindCommand extends TreeWish {
  readonly device: string;
  /** Only this one; default whichever is bound. */
  readonly driver?: string;
  readonly json?: boolean;
}

export async function bindCommand(options: BindCommand, terminal: Terminal): Promise<number> {
  const { driver, json } = options;
  const { client } = await reachTree(options, terminal);
  try {
    const device = await findDevice(client, options.device, driver);
    await change(client, "bind", device, driver);
    if (json) terminal.out(JSON.stringify({ bound: device.path, driver }));
    return 0;
  } finally {
    client.close();
  }
}

export async function unbindCommand(options: UnbindCommand, terminal: Terminal): Promise<number> {
  const { client } = await reachTree(options, terminal);
  try {
    const device = await findDevice(client, options.device, options.driver);
    const driver = await boundDriver(client, device, options.driver);
    await change(client, "unbind", device, driver);
    if (options.json) terminal.out(JSON.stringify({ unbound: device.path, driver }));
    return 0;
  } finally {
    client.close();
  }
}

async function change(
  client: SysClient,
  verb: "bind" | "unbind",
  { name, bus }: FoundDevice,
  driver: string,
): Promise<void> {
  await checkDriver(client, bus, driver);
  const path = `${ROOT}/bus/${bus}/drivers/${driver}/${verb}`;
  const what = verb === "bind" ? `bind ${driver} to ${name}` : `unbind ${driver} from ${name}`;
  await asking(client, what, path, () => client.write(path, `${name}\n`), name);
}

/** @throws CommandError ENODEV */
async function checkDriver(client: SysClient, bus: string, driver: string): Promise<void> {
  const drivers = (await client.list(`${ROOT}/bus/${bus}/drivers`)).map(({ name }) => name);
  if (drivers.includes(driver)) return;
  const [best] = closest(driver, drivers);
  const guess = best === undefined ? "" : `did you mean ${best}? `;
  const there = drivers.length === 0 ? "it has none" : `it has ${drivers.join(", ")}`;
  throw new CommandError("ENODEV", `ENODEV: bus ${bus} has no driver ${driver}`, `${guess}${there}`);
}

/** @throws CommandError ENODEV */
async function boundDriver(
  client: SysClient,
  { name, path }: FoundDevice,
  wanted: string | undefined,
): Promise<string> {
  const link = await linkAt(client, `${path}/driver`);
  if (link === undefined)
    throw new CommandError(
      "ENODEV",
      `ENODEV: no driver is bound to ${name}`,
      "there is nothing to unbind; `parhelion bind` binds one",
    );
  const driver = nameOf(link);
  if (wanted === undefined || wanted === driver) return driver;
  throw new CommandError(
    "ENODEV",
    `ENODEV: ${name} is bound to ${driver}, not to ${wanted}`,
    `\`parhelion unbind ${name}\` unbinds whichever is bound`,
  );
}
