/** The commands that watch a host, with their options and help. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { jsonOption, stateOption } from "./options.js";
import type { Terminal } from "./terminal.js";
import { topOrders } from "./views/top/order.js";

type End = (status: number) => void;

export function addObserveCommands(program: Command, terminal: Terminal, end: End): void {
  program
    .command("top")
    .description("watch slices and guests: time, memory, submits, bytes, lost devices, engines")
    .addOption(stateOption())
    .addOption(
      new Option("--interval <seconds>", "between two looks; rates are of that time")
        .default(1)
        .argParser(interval),
    )
    .option("--once", "print one page, after one interval, and end")
    .addOption(new Option("--sort <by>", "what comes first").choices(topOrders).default("time"))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nTIME% is of the adapter's time, USED/GRANT/LIMIT of its memory; SUB/S and B/S are submissions and bytes from the\n" +
        "guest per second; LOST are devices that were lost, RST how often the engine was started again. What the host does not\n" +
        'know is "-". Where it does not write to a terminal it prints one page after the other; with --json each is a line.\n' +
        "Ctrl-C ends it.",
    )
    .action(async (options) => {
      const { topCommand } = await import("./commands/top.js");
      end(await topCommand(options, terminal));
    });

  program
    .command("events")
    .description("print what has happened on the host since it started, as far as it is kept")
    .addOption(stateOption())
    .option("--follow", "go on, until it is asked to end")
    .addOption(
      new Option("--since <number>", "only what came after the event with this number")
        .default(0, "all that is kept")
        .argParser(eventNumber),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nEach line: number, time, level, name, fields. docs/events.md says what each name means. With --json each line is an\n" +
        "object: an event, or lost (how many were not kept any more).",
    )
    .action(async (options) => {
      const { eventsCommand } = await import("./commands/events.js");
      end(await eventsCommand(options, terminal));
    });
}

function interval(value: string): number {
  const seconds = Number(value);
  if (value.trim() !== "" && seconds >= 0.1 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError("It is a number of seconds, from 0.1 to 3600.");
}

function eventNumber(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is an event's number, as events prints it first.");
}
