/** Options that commands share. */
import { Option } from "commander";
import { type ChosenLogLevel, LOG_LEVELS } from "./log-levels.js";

export const stateOption = () =>
  new Option("--state <dir>", "the host's state directory")
    .env("PARHELION_STATE")
    .argParser((path: string) => (path === "" ? undefined : path));
export const jsonOption = () => new Option("--json", "print JSON, errors included");
export const logOption = (level: ChosenLogLevel) =>
  new Option("--log-level <level>", "what is logged on stderr, as JSON lines")
    .choices(LOG_LEVELS)
    .default(level);
