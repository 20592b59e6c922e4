/** The command `parhelion`: what people type, turned into calls. Everything behind it is a library. */
import { CommanderError } from "commander";
import { CommandError, describeError } from "./command-error.js";
import { buildProgram } from "./program.js";
import { processTerminal, type Terminal } from "./terminal.js";
import { printable } from "./views/printable.js";

/** @returns the exit status: 0 done, 1 failed, 2 wrong use; `run` returns its command's. */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  let status = 0;
  let json = false;
  const program = buildProgram(terminal, (value) => {
    status = value;
  });
  program.hook("preAction", (_program, command) => {
    json = command.opts()["json"] === true;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    report(error, json, terminal);
    return error instanceof CommandError ? error.exitStatus : 1;
  }
}

function report(error: unknown, json: boolean, terminal: Terminal): void {
  const described = describeError(error);
  const { message, remedy } = described;
  if (json) terminal.out(JSON.stringify({ error: described }));
  else {
    // Names in it may be those of files and of what is in them: none of them is to tell the terminal what to do.
    const shown = message.split("\n").map(printable).join("\n");
    terminal.err(`parhelion: ${shown}${remedy === "" ? "" : `\n  ${remedy}`}`);
  }
}
