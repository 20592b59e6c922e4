/** The command `parhelion`: what people type, turned into calls. Everything behind it is a library. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { describeError } from "./command-error.js";
import { doctorCommand } from "./commands/doctor.js";
import { guestCreate, guestRemove, guestServe } from "./commands/guest.js";
import { hostCommand } from "./commands/host.js";
import { lsCommand } from "./commands/ls.js";
import { runCommand } from "./commands/run.js";
import { LOG_LEVELS } from "./logging.js";
import type { IsolationLevel } from "./run/isolation.js";
import { processTerminal, type Terminal } from "./terminal.js";

/** @returns the exit status: 0 done, 1 failed, 2 wrong use; `run` returns its command's. */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  let status = 0;
  const program = build(terminal, (value) => {
    status = value;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    report(error, argv.includes("--json"), terminal);
    return 1;
  }
}

function report(error: unknown, json: boolean, terminal: Terminal): void {
  const { code, message, remedy } = describeError(error);
  if (json) terminal.out(JSON.stringify({ error: { code, message, remedy } }));
  terminal.err(`parhelion: ${message}${remedy === "" ? "" : `\n  ${remedy}`}`);
}

const stateOption = () => new Option("--state <dir>", "the host's state directory").env("PARHELION_STATE");
const logOption = () =>
  new Option("--log-level <level>", "what is logged on stderr").choices(LOG_LEVELS).default("warn");
const jsonOption = () => new Option("--json", "print JSON").default(false);
const adapterOption = (fallback?: string) => {
  const option = new Option(
    "--adapter <which>",
    "best (hardware if it answers, else software), hardware, software, null, or part of a GPU's name",
  );
  return fallback === undefined ? option : option.default(fallback);
};

function several(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function isolationLevel(value: string): IsolationLevel {
  if (value === "bubblewrap" || value === "namespaces" || value === "none") return value;
  throw new InvalidArgumentError("It is bubblewrap, namespaces or none.");
}

function build(terminal: Terminal, end: (status: number) => void): Command {
  const program = new Command("parhelion");
  program
    .description("Projects this machine's GPUs into guests that have none, for unmodified WebGPU programs.")
    .enablePositionalOptions()
    .showHelpAfterError("(--help tells the options)")
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .exitOverride();

  const add = (name: string, text: string, parent: Command = program) => {
    const command = parent.command(name).description(text);
    return command;
  };

  add("host", "run the host daemon in the foreground")
    .addOption(stateOption())
    .addOption(adapterOption("best"))
    .option("--listen <address>", "also accept guests over TCP, unencrypted: PORT (loopback) or HOST:PORT")
    .addOption(logOption())
    .addOption(jsonOption())
    .action(async (options) => end(await hostCommand(options, terminal)));

  const guest = add("guest", "serve a guest's device nodes in a directory")
    .enablePositionalOptions()
    .addOption(stateOption())
    .option("--name <name>", "a name for people")
    .option("--connect <address>", "a host elsewhere, at HOST:PORT")
    .option("--credential-file <file>", "with --connect: the file that holds the guest's credential")
    .option("--directory <dir>", "with --connect: where the nodes appear")
    .addOption(logOption())
    .addOption(jsonOption())
    .action(async (options) => end(await guestServe(options, terminal)));
  add("create", "grant a guest and print its id and credential", guest)
    .addOption(stateOption())
    .option("--name <name>", "a name for people")
    .addOption(jsonOption())
    .action(async (_options, command: Command) =>
      end(await guestCreate(command.optsWithGlobals(), terminal)),
    );
  add("remove", "take a guest back", guest)
    .argument("<id>")
    .addOption(stateOption())
    .action(async (id: string, _options, command: Command) =>
      end(await guestRemove({ ...command.optsWithGlobals(), id })),
    );

  add("run", "run a command in a guest of its own")
    .argument("<command...>", "the command, after --")
    .passThroughOptions()
    .option(
      "--isolate [level]",
      "shut the command in, as well as this machine allows or at least at level: bubblewrap, namespaces",
      (value: string) => isolationLevel(value),
    )
    .option("--visible <path>", "with --isolate: a path the command may read (repeatable)", several, [])
    .option("--writable <path>", "with --isolate: a path the command may write (repeatable)", several, [])
    .option("--name <name>", "a name for people")
    .addOption(stateOption())
    .addOption(adapterOption())
    .addOption(new Option("--carrier <kind>", "how commands travel").choices(["shared-memory", "stream"]))
    .addOption(logOption())
    .addHelpText(
      "after",
      "\nUses the host that runs on the state directory; where none runs, a private one lives as long as the command.\n" +
        "Exits with the command's status.",
    )
    .action(async (command: string[], options) =>
      end(await runCommand({ ...options, isolate: options.isolate ?? false, command }, terminal)),
    );

  add("ls", "list adapters, slices, guests and open processes")
    .addOption(stateOption())
    .addOption(jsonOption())
    .action(async (options) => end(await lsCommand(options, terminal)));

  add("doctor", "walk every hop from inside a guest and end with a checked result")
    .addOption(stateOption())
    .addOption(adapterOption())
    .addOption(jsonOption())
    .action(async (options) => end(await doctorCommand(options, terminal)));

  return program;
}
