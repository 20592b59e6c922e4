/** The options that say what a slice is given, for every command that makes or changes one. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { SliceType, SliceWish } from "parhelion-host";
import { parseSize } from "./size.js";

/** The host's, which has not to be loaded for a help text. */
const types: readonly SliceType[] = ["full", "half", "quarter", "eighth", "shared", "custom"];

/** As commander names them. */
export interface LimitOptions {
  readonly type?: SliceType;
  readonly memory?: number;
  readonly reserve?: number;
  readonly share?: number;
  readonly weight?: number;
  readonly cap?: number;
  readonly submissionMs?: number;
  readonly objects?: number;
  readonly inFlight?: number;
  readonly engines?: number;
  readonly nodeOpens?: number;
}

export const limitHelp =
  "\nfull, half, quarter and eighth are that part of the adapter, reserved. shared reserves nothing and takes what\n" +
  "the others leave, by weight. custom is what the options say: the default where --memory, --reserve or --share\n" +
  "is given. Sizes are written 512MiB, 1.5GiB or in bytes.";

/** The few that most people need. */
export function addMainLimits(command: Command): Command {
  return command
    .addOption(new Option("--type <type>", "what it gets of its adapter").choices(types))
    .addOption(new Option("--memory <size>", "memory that it never exceeds").argParser(size))
    .addOption(
      new Option("--weight <n>", "of what is left of time and memory it gets by weight").argParser(number),
    )
    .addOption(
      new Option("--cap <part>", "part of the adapter's time, up to 1, that it never exceeds").argParser(
        number,
      ),
    );
}

export function addLimits(command: Command): Command {
  return addMainLimits(command)
    .addOption(new Option("--reserve <size>", "memory that is its own; default: all of it").argParser(size))
    .addOption(
      new Option("--share <part>", "part of the adapter's time, up to 1, that is its own").argParser(number),
    )
    .addOption(new Option("--submission-ms <ms>", "GPU time of one submission").argParser(number))
    .addOption(new Option("--objects <n>", "WebGPU objects alive at once").argParser(number))
    .addOption(new Option("--in-flight <size>", "bytes under way to its engine").argParser(size))
    .addOption(new Option("--engines <n>", "engine processes alive at once").argParser(number))
    .addOption(new Option("--node-opens <n>", "processes that use it at once").argParser(number));
}

/** What of these was given. */
export function wishOf(options: LimitOptions): SliceWish {
  const { type, memory: limitBytes, reserve: reservedBytes, inFlight: bytesInFlight } = options;
  const { share, weight, cap, submissionMs, objects, engines, nodeOpens } = options;
  const memory = given({ reservedBytes, limitBytes });
  return given({
    type,
    memory: Object.keys(memory).length === 0 ? undefined : memory,
    share,
    weight,
    cap,
    submissionMs,
    objects,
    bytesInFlight,
    engines,
    nodeOpens,
  });
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}

export function size(value: string): number {
  const bytes = parseSize(value);
  if (bytes === undefined) throw new InvalidArgumentError("Write a size: 512MiB, 1.5GiB, or bytes.");
  return bytes;
}

function number(value: string): number {
  const parsed = Number(value);
  if (value.trim() === "" || !Number.isFinite(parsed)) throw new InvalidArgumentError("It is a number.");
  return parsed;
}
