/** The commands about slices and adapters, with their options and help. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { jsonOption, stateOption } from "./options.js";
import { addLimits, limitHelp, size } from "./slice/limit-options.js";
import type { Terminal } from "./terminal.js";

type End = (status: number) => void;

const UUID = "its UUID, or the beginning of that";

export function addSliceCommands(program: Command, terminal: Terminal, end: End): void {
  const slice = program
    .command("slice")
    .description("make, show, resize, move and remove shares of an adapter")
    .usage("[types|create|ls|show|resize|move|remove] [options]");
  addLooking(slice, terminal, end);
  addMaking(slice, terminal, end);
  addChanging(slice, terminal, end);
  addAdapters(program, terminal, end);
}

function addLooking(slice: Command, terminal: Terminal, end: End): void {
  common(slice.command("types"))
    .description("list the types of slices, and how many more of each fit")
    .option("--adapter <name>", "only of this one, for example adapter0")
    .action(async (options) => {
      const { sliceTypes } = await import("./commands/slice.js");
      end(await sliceTypes(options, terminal));
    });

  common(slice.command("ls"))
    .description("list slices")
    .action(async (options) => {
      const { sliceList } = await import("./commands/slice.js");
      end(await sliceList(options, terminal));
    });

  common(slice.command("show"))
    .description("show one slice: who has it, what it may use, what it uses")
    .argument("<uuid>", UUID)
    .action(async (uuid: string, options) => {
      const { sliceShow } = await import("./commands/slice.js");
      end(await sliceShow(uuid, options, terminal));
    });
}

function addMaking(slice: Command, terminal: Terminal, end: End): void {
  addLimits(common(slice.command("create")))
    .description("make a slice, and print its UUID")
    .option("--adapter <name>", "of which; default: the one with the fewest slices that has room")
    .option("--guest <id>", "who gets it; default: nobody, until it is moved to somebody")
    .addOption(
      new Option(
        "--local",
        "serve it on this machine itself: PARHELION_DIR is <state>/local/<uuid>",
      ).conflicts("guest"),
    )
    .addOption(
      new Option("--vfio", "hand it to a virtual machine monitor: see `vfio serve`").conflicts([
        "guest",
        "local",
      ]),
    )
    .addOption(new Option("--unused", "bind nothing to it").conflicts(["guest", "local", "vfio"]))
    .option("--uuid <uuid>", "which it shall have; none is given out twice")
    .addHelpText(
      "after",
      `${limitHelp}\n\nparhelion slice create --type half --guest 1f0d2a6c\n` +
        "parhelion slice create --memory 2GiB --share 0.1 --cap 0.5",
    )
    .action(async (options) => {
      const { sliceCreate } = await import("./commands/slice.js");
      end(await sliceCreate(options, terminal));
    });
}

function addChanging(slice: Command, terminal: Terminal, end: End): void {
  addLimits(mutating(slice.command("resize")))
    .description("change a slice's limits while it is in use")
    .argument("<uuid>", UUID)
    .addHelpText(
      "after",
      `${limitHelp}\n\nWhat is not named stays. A slice can't be limited to less memory than it uses.`,
    )
    .action(async (uuid: string, options) => {
      const { sliceResize } = await import("./commands/slice.js");
      end(await sliceResize(uuid, options, terminal));
    });

  mutating(slice.command("move"))
    .description("take a slice away and give it to another guest, or make it anew on another adapter")
    .argument("<uuid>", UUID)
    .option("--guest <id>", "who gets it")
    .addOption(new Option("--nobody", "it is kept, and nobody has it").conflicts("guest"))
    .option("--adapter <name>", "where it is made anew")
    .addHelpText(
      "after",
      "\nWho has had it sees his devices lost; who gets it sees nothing of what was done with it before.",
    )
    .action(async (uuid: string, options) => {
      const { sliceMove } = await import("./commands/slice.js");
      end(await sliceMove(uuid, options, terminal));
    });

  mutating(slice.command("remove"))
    .description("take slices back: their guests' devices are lost")
    .argument("<uuid...>", UUID)
    .addHelpText("after", "\nIt waits for no guest. Their UUIDs are not used again.")
    .action(async (uuids: string[], options) => {
      const { sliceRemove } = await import("./commands/slice.js");
      end(await sliceRemove(uuids, options, terminal));
    });
}

function addAdapters(program: Command, terminal: Terminal, end: End): void {
  const adapter = program
    .command("adapter")
    .description("list, remove and add the adapters of a host")
    .usage("[ls|remove|add] [options]");

  common(adapter.command("ls"))
    .description("list adapters, and what is left of them")
    .action(async (options) => {
      const { adapterList } = await import("./commands/adapter.js");
      end(await adapterList(options, terminal));
    });

  common(adapter.command("remove"))
    .description("take an adapter away, and its slices from whoever has them")
    .argument("<name>", "as ls prints it")
    .addHelpText("after", "\nIts slices stay known, and come back when it is added again.")
    .action(async (name: string, options) => {
      const { adapterRemove } = await import("./commands/adapter.js");
      end(await adapterRemove(name, options, terminal));
    });

  common(adapter.command("add"))
    .description("add an adapter, or one again that was removed, and print its name")
    .argument("[name]", "default: a new one, adapter1 for example")
    .option("--adapter <which>", "as of host; default: as it was, or best")
    .addOption(new Option("--memory <size>", "as of host --adapter-memory").argParser(size))
    .action(async (name: string | undefined, options) => {
      const { adapterAdd } = await import("./commands/adapter.js");
      end(await adapterAdd(name, options, terminal));
    });
}

function common(command: Command): Command {
  return command.addOption(stateOption()).addOption(jsonOption());
}

function mutating(command: Command): Command {
  return common(command).addOption(
    new Option("--generation <n>", "refuse when the slice has another one: it changed hands").argParser(
      wholeNumber,
    ),
  );
}

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("It is a whole number.");
  return Number(value);
}
