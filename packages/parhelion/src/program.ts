/**
 * The commands with their options and help, as commander has them; each ends in one call. What a command needs is loaded when it
 * runs: help and a mistyped word need not wait for a host's libraries.
 */
import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { type Address, parseAddress } from "./address.js";
import { addConsoleCommands } from "./console/console-program.js";
import { addDasdCommands } from "./dasd/dasd-program.js";
import { limitWish } from "./limit-option.js";
import { addObserveCommands } from "./observe-program.js";
import { jsonOption, logOption, stateOption } from "./options.js";
import type { IsolationLevel } from "./run/isolation.js";
import { addMainLimits, limitHelp, size } from "./slice/limit-options.js";
import { addSliceCommands } from "./slice-program.js";
import type { Terminal } from "./terminal.js";
import { addTreeCommands } from "./tree-program.js";
import { addVfioCommands } from "./vfio-program.js";

const nameOption = () => new Option("--name <name>", "a name for people, shown by ls");
const slicesOption = () =>
  new Option("--slices <n>", "how many such slices it gets; default 1").argParser((value: string) => {
    if (!/^\d{1,6}$/.test(value)) throw new InvalidArgumentError("It is a whole number.");
    return Number(value);
  });
const adapterOption = (whose: string) =>
  new Option(
    "--adapter <which>",
    `${whose}: best (hardware if it answers, else software), hardware, software, null, or part of a GPU's name`,
  );

/** @param end told the exit status of the command that ran */
export function buildProgram(terminal: Terminal, end: (status: number) => void): Command {
  const program = new Command("parhelion");
  program
    .description("Projects this machine's GPUs into guests that have none, for unmodified WebGPU programs.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print a command's help")
    .enablePositionalOptions()
    .showHelpAfterError("  --help tells what there is")
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, "parhelion: ")),
    })
    .addHelpText(
      "after",
      "\nparhelion run -- node app.js      app.js has navigator.gpu\n" +
        "parhelion doctor                  is everything in order?\n\n" +
        "Exits with 0 when done, 1 when it failed, 2 for wrong use; run exits with its command's status.",
    )
    .exitOverride();
  addHost(program, terminal, end);
  addGuest(program, terminal, end);
  addRun(program, terminal, end);
  addViews(program, terminal, end);
  addSliceCommands(program, terminal, end);
  addTreeCommands(program, terminal, end);
  addObserveCommands(program, terminal, end);
  addVfioCommands(program, terminal, end);
  addDasdCommands(program, terminal, end);
  addConsoleCommands(program, terminal, end);
  return program;
}

type End = (status: number) => void;

function addHost(program: Command, terminal: Terminal, end: End): void {
  program
    .command("host")
    .description("run the host daemon in the foreground")
    .addOption(stateOption())
    .addOption(
      adapterOption("what is projected, best by default; repeatable for adapter0, adapter1, …").argParser(
        several,
      ),
    )
    .addOption(
      new Option(
        "--adapter-memory <size>",
        "memory of the adapter that slices get; once for all, or once for each --adapter",
      ).argParser((value: string, before: readonly number[] = []) => [...before, size(value)]),
    )
    .addOption(
      new Option(
        "--listen <address>",
        "also accept guests over TCP, not encrypted: PORT (this machine only), HOST:PORT or [IPV6]:PORT",
      ).argParser(address),
    )
    .addOption(
      new Option(
        "--metrics <address>",
        "serve Prometheus metrics over HTTP: PORT (this machine only) or an address of this machine's own, HOST:PORT",
      ).argParser(address),
    )
    .option(
      "--metrics-anywhere",
      "with --metrics: at an address that other machines can reach; without a password",
    )
    .addOption(
      new Option(
        "--limit <rule=number>",
        "change a limit of the host; repeatable; docs/errors.md lists the rules",
      ).argParser(limitWish),
    )
    .option(
      "--forget-state",
      "begin without the guests and slices that were kept, even if they can't be read",
    )
    .option(
      "--require-sandbox",
      "start no engine from which this system can't take everything it does not need",
    )
    .addOption(logOption("warn"))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nWith --json it prints one line when it is ready: event, pid, stateDirectory, listening, metrics, adapters.\n" +
        "SIGTERM and SIGINT end it in order. Guests and slices are kept in the state directory: the next host there has\n" +
        "them again, under the same ids and UUIDs, and guests that run on connect to it by themselves.",
    )
    .action(async (options) => {
      const { hostCommand } = await import("./commands/host.js");
      end(await hostCommand(options, terminal));
    });
}

function addGuest(program: Command, terminal: Terminal, end: End): void {
  const guest = program
    .command("guest")
    .description("serve a guest's device nodes, or create and remove guests for that")
    .usage("[serve|create|remove] [options]");

  addMainLimits(guest.command("serve", { isDefault: true }))
    .description("serve a guest's device nodes in a directory, as long as it runs (the default)")
    .allowExcessArguments()
    .addOption(stateOption())
    .addOption(nameOption())
    .addOption(
      new Option("--connect <address>", "a host on another machine, at HOST:PORT").argParser(address),
    )
    .option("--credential-file <file>", "with --connect: holds what `guest create` printed as credential")
    .option("--directory <dir>", "with --connect: where the nodes appear; made if it is missing")
    .option("--background", "return when the nodes are there, and serve on; PARHELION_GUEST_PID says who")
    .addOption(slicesOption())
    .addOption(logOption("error"))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      '\nPrints the environment of programs in the guest:  eval "$(parhelion guest --background)"\n' +
        limitHelp,
    )
    .action(async (options, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) command.error(`error: unknown command 'guest ${word}'${nearest(word)}`);
      const { connect, credentialFile, directory } = options;
      const remote = [connect, credentialFile, directory].filter((option) => option !== undefined);
      const { type, memory, weight, cap, slices } = options;
      if (connect !== undefined && [type, memory, weight, cap, slices].some((option) => option !== undefined))
        command.error(
          "error: what a guest gets is said on its host, by `guest create`; leave it out with --connect",
        );
      if (remote.length !== 0 && remote.length !== 3)
        command.error("error: --connect, --credential-file and --directory are given together or not at all");
      if (connect !== undefined && command.getOptionValueSource("state") === "cli")
        command.error(
          "error: --state names a host on this machine, --connect one elsewhere: give one of them",
        );
      const { guestServe } = await import("./commands/guest.js");
      end(await guestServe(options, terminal));
    });

  addMainLimits(guest.command("create"))
    .description("grant a guest: prints its id and its credential, which is a secret")
    .addOption(slicesOption())
    .addOption(stateOption())
    .addOption(nameOption())
    .addOption(jsonOption())
    .action(async (options) => {
      const { guestCreate } = await import("./commands/guest.js");
      end(await guestCreate(options, terminal));
    });

  guest
    .command("remove")
    .description("take a guest back: its devices are lost")
    .argument("<id>", "as ls and guest create print it")
    .addOption(stateOption())
    .addOption(jsonOption())
    .action(async (id: string, options) => {
      const { guestRemove } = await import("./commands/guest.js");
      end(await guestRemove({ ...options, id }, terminal));
    });
}

function addRun(program: Command, terminal: Terminal, end: End): void {
  addMainLimits(program.command("run"))
    .description("run a command in a guest of its own")
    .addOption(slicesOption())
    .usage("[options] -- <command...>")
    .argument("<command...>", "the command and its arguments")
    .passThroughOptions()
    .option(
      "--isolate [level]",
      "shut the command in, as well as this machine can; or at level bubblewrap or namespaces, or refuse",
      isolationLevel,
    )
    .option("--visible <path>", "with --isolate: a path the command may read; repeatable", several)
    .option("--writable <path>", "with --isolate: a path the command may write; repeatable", several)
    .addOption(nameOption())
    .addOption(stateOption())
    .addOption(adapterOption("of the private host, or what the running one has to have"))
    .addOption(
      new Option("--carrier <kind>", "how commands travel; default: shared memory if possible").choices([
        "shared-memory",
        "stream",
      ]),
    )
    .addOption(logOption("error"))
    .addHelpText(
      "after",
      "\nUses the host that runs on the state directory; where none runs, a private one lives as long as the command.\n" +
        "Exits with the command's status: 128 + n when signal n ended it, 127 when it was not found.",
    )
    .action(async (command: string[], options) => {
      const { runCommand } = await import("./commands/run.js");
      end(await runCommand({ ...options, command }, terminal));
    });
}

function addViews(program: Command, terminal: Terminal, end: End): void {
  program
    .command("ls")
    .description("list adapters, slices, guests and the processes that hold their nodes")
    .addOption(stateOption())
    .addOption(jsonOption())
    .action(async (options) => {
      const { lsCommand } = await import("./commands/ls.js");
      end(await lsCommand(options, terminal));
    });

  program
    .command("doctor")
    .description("walk every hop to the GPU, end with a checked result, name what is broken")
    .addOption(stateOption())
    .addOption(adapterOption("of the private host, or what the running one has to have"))
    .addOption(jsonOption())
    .addHelpText("after", "\nExits with 0 when every hop works, else with 1. Works inside a guest as well.")
    .action(async (options) => {
      const { doctorCommand } = await import("./commands/doctor.js");
      end(await doctorCommand(options, terminal));
    });
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

function several(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function isolationLevel(value: string): IsolationLevel {
  if (value === "bubblewrap" || value === "namespaces" || value === "none") return value;
  throw new InvalidArgumentError("It is bubblewrap or namespaces; without a level, the best that works.");
}

function address(value: string): Address {
  const found = parseAddress(value);
  if (found === undefined) throw new InvalidArgumentError("Write PORT, HOST:PORT or [IPV6]:PORT.");
  return found;
}

/** The default command takes every word, so commander can't say what was meant. */
function nearest(word: string): string {
  const found = ["serve", "create", "remove"].find((name) => name.startsWith(word.slice(0, 2)));
  return found === undefined ? "; there are serve, create and remove" : `\n(Did you mean ${found}?)`;
}
