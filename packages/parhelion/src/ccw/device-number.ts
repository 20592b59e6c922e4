/** A channel device's number, as commands take it. */
import { InvalidArgumentError, Option } from "commander";

export const devnoOption = (usual: number) =>
  new Option("--devno <number>", "the device number, up to four hexadecimal digits")
    .argParser(deviceNumber)
    .default(usual, usual.toString(16).padStart(4, "0"));

function deviceNumber(value: string): number {
  if (!/^[0-9a-fA-F]{1,4}$/.test(value))
    throw new InvalidArgumentError("It is up to four hexadecimal digits.");
  return Number.parseInt(value, 16);
}
