/** The commands about the device tree, with their options and help. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { jsonOption, stateOption } from "./options.js";
import type { TreeWish } from "./sys/target.js";
import type { Terminal } from "./terminal.js";

type End = (status: number) => void;

const WHOSE =
  "\nWhose tree: the guest's that PARHELION_DIR names, else the host's; --guest, --host and --state choose.\n" +
  "A path begins at /sys; a devpath as uevents have it (/devices/…) will do.";

export function addTreeCommands(program: Command, terminal: Terminal, end: End): void {
  addReading(program, terminal, end);
  addWriting(program, terminal, end);
  addBinding(program, terminal, end);
}

function addReading(program: Command, terminal: Terminal, end: End): void {
  aboutTree(program.command("tree"))
    .description("show a device tree: devices, buses, classes, what links where, who drives what")
    .argument("[path]", "where to begin", "/sys")
    .option("--depth <n>", "how many levels below it; default all", wholeNumber)
    .addHelpText(
      "after",
      "\nparhelion tree --depth 3                 the host's\n" +
        "parhelion tree /sys/bus --guest painter  a guest's, by its name or id\n" +
        `${WHOSE}`,
    )
    .action(async (path: string, _options, command: Command) => {
      const { treeCommand } = await import("./commands/tree.js");
      end(await treeCommand({ ...wishOf(command), path }, terminal));
    });

  aboutTree(program.command("cat"))
    .description("print attributes of a device tree")
    .argument("<path...>", "the attributes")
    .addHelpText("after", `\nparhelion cat /sys/devices/adapter0/kind\n${WHOSE}`)
    .action(async (paths: string[], _options, command: Command) => {
      const { catCommand } = await import("./commands/cat.js");
      end(await catCommand({ ...wishOf(command), paths }, terminal));
    });

  aboutTree(program.command("monitor"))
    .description("print the uevents of a device tree as they happen, until it is asked to end")
    .option("--subsystem <name>", "only those of this bus or class")
    .option("--property", "print the keys of each as well")
    .addHelpText(
      "after",
      "\nparhelion monitor --subsystem mdev --property\n\n" +
        "One that reads too slowly is told how many it has lost. Ends with 0 on Ctrl-C and SIGTERM, with 1 when the\n" +
        "host or guest has gone. With --json each line is an object: monitoring (it has begun), keys (an event), or\n" +
        `lost (how many).\n${WHOSE}`,
    )
    .action(async (_options, command: Command) => {
      const { monitorCommand } = await import("./commands/monitor.js");
      end(await monitorCommand(wishOf(command), terminal));
    });
}

function addWriting(program: Command, terminal: Terminal, end: End): void {
  aboutTree(program.command("write"))
    .description("write an attribute of a device tree, with a newline at its end")
    .argument("<path>", "the attribute")
    .argument("<text>", 'what to write; "-": standard input, at most 4096 bytes')
    .addHelpText(
      "after",
      `\nparhelion write /sys/bus/mdev/drivers_autoprobe 0\necho change | parhelion write /devices/adapter0/uevent -\n${WHOSE}`,
    )
    .action(async (path: string, text: string, _options, command: Command) => {
      const { writeCommand } = await import("./commands/write.js");
      end(await writeCommand({ ...wishOf(command), path, text }, terminal));
    });
}

function addBinding(program: Command, terminal: Terminal, end: End): void {
  const device = "its name on its bus, the beginning of that, or its path";
  aboutTree(program.command("bind"))
    .description("have a driver probe a device")
    .argument("<device>", device)
    .argument("<driver>", "of the device's bus")
    .addHelpText("after", `\nparhelion bind 6c1f0d2a projected   offers a slice to its guest again\n${WHOSE}`)
    .action(async (device: string, driver: string, _options, command: Command) => {
      const { bindCommand } = await import("./commands/bind.js");
      end(await bindCommand({ ...wishOf(command), device, driver }, terminal));
    });

  aboutTree(program.command("unbind"))
    .description("take a device's driver away")
    .argument("<device>", device)
    .argument("[driver]", "only if it is this one")
    .addHelpText(
      "after",
      "\nparhelion unbind 6c1f0d2a projected   revokes a slice: its guest's programs see their devices lost\n" +
        WHOSE,
    )
    .action(async (device: string, driver: string | undefined, _options, command: Command) => {
      const { unbindCommand } = await import("./commands/bind.js");
      const named = driver === undefined ? {} : { driver };
      end(await unbindCommand({ ...wishOf(command), device, ...named }, terminal));
    });
}

function aboutTree(command: Command): Command {
  return command
    .addOption(
      new Option("--guest <name>", "a guest's tree: its name or id, as ls shows them").conflicts("host"),
    )
    .option("--host", "the host's tree, where PARHELION_DIR names a guest")
    .addOption(stateOption())
    .addOption(jsonOption());
}

/** A state directory that is in the environment says which host, not that the host is meant. */
function wishOf<T extends object>(command: Command): TreeWish & T {
  const options = command.opts<TreeWish & T>();
  const host = options.host === true || command.getOptionValueSource("state") === "cli";
  return { ...options, ...(host && options.guest === undefined ? { host } : {}) };
}

function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError("It is a whole number.");
  return Number(value);
}
