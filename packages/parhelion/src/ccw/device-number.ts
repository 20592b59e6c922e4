/** A channel device's number, as commands take it. */
import { InvalidArgumentError } from "commander";

/** @throws InvalidArgumentError */
export function deviceNumber(value: string): number {
  if (!/^[0-9a-fA-F]{1,4}$/.test(value))
    throw new InvalidArgumentError("It is up to four hexadecimal digits.");
  return Number.parseInt(value, 16);
}
