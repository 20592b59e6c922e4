/** Options that commands share. */
import { Option } from "commander";

export const stateOption = () =>
  new Option("--state <dir>", "the host's state directory")
    .env("PARHELION_STATE")
    .argParser((path: string) => (path === "" ? undefined : path));
export const jsonOption = () => new Option("--json", "print JSON, errors included");
