/** The commands about consoles, with their options and help. */
import type { Command } from "commander";
import { devnoOption } from "../ccw/device-number.js";
import { jsonOption, logOption } from "../options.js";
import type { Terminal } from "../terminal.js";

type End = (status: number) => void;

export function addConsoleCommands(program: Command, terminal: Terminal, end: End): void {
  const group = program.command("console").description("mainframe consoles, on terminals of this machine");
  group
    .command("attach")
    .description(
      "put a 3215 behind a subchannel, and serve that as a vfio-ccw device on a socket, until it is asked to end",
    )
    .requiredOption("--socket <path>", "where to listen")
    .option(
      "--terminal <where>",
      "its paper and keyboard: pty; pty:LINK, with a symbolic link to it; or unix:PATH, whoever connects there",
      "pty",
    )
    .addOption(devnoOption(0x0009))
    .addOption(logOption("error"))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nparhelion console attach --socket /tmp/console.sock --terminal pty:/tmp/console\n" +
        "screen /tmp/console\n\n" +
        "Speaks the vfio-user protocol. What is printed while nobody looks is kept, the newest 64 KiB of it;\n" +
        "a typed line is announced with attention. With --json it prints one line when it listens: socket,\n" +
        "device, devno, and terminal with kind, path and link. It ends with 0 on Ctrl-C and SIGTERM.",
    )
    .action(async (options) => {
      const { consoleAttach } = await import("./attach.js");
      end(await consoleAttach(options, terminal));
    });
}
