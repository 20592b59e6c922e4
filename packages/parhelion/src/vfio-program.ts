/** The commands that hand devices to virtual machine monitors and other processes, with their options and help. */
import { type Command, Option } from "commander";
import { jsonOption, logOption, stateOption } from "./options.js";
import type { Terminal } from "./terminal.js";

type End = (status: number) => void;

export function addVfioCommands(program: Command, terminal: Terminal, end: End): void {
  const vfio = program
    .command("vfio")
    .description("serve devices to virtual machine monitors and other processes, by the vfio-user protocol")
    .usage("[ls|serve] [options]");

  vfio
    .command("ls")
    .description("list what can be served, and where it is")
    .addOption(stateOption())
    .addOption(jsonOption())
    .action(async (options) => {
      const { vfioList } = await import("./commands/vfio.js");
      end(await vfioList(options, terminal));
    });

  vfio
    .command("serve")
    .description("serve a device on a Unix socket, as long as it runs")
    .argument(
      "<device>",
      "serial or serial:2, a PCI card with so many serial ports; ccw:IMAGE, a disk as of dasd attach; or a slice's UUID",
    )
    .requiredOption("--socket <path>", "where clients connect; made here, and removed at the end")
    .addOption(
      new Option(
        "--line <what>",
        "of a serial card: what its next port is plugged into: loop-back (the default), pty, or unix:PATH; repeatable",
      ).argParser((value: string, before: readonly string[] = []) => [...before, value]),
    )
    .addOption(stateOption())
    .addOption(logOption("error"))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nparhelion vfio serve serial:2 --socket /tmp/card.sock --line pty\n" +
        "parhelion bind 1f0d2a6c-… vfio && parhelion vfio serve 1f0d2a6c --socket /tmp/vgpu.sock\n\n" +
        "A card and a disk live in this process and need no host. A slice is served by the host that runs in the state directory, and\n" +
        "has to be bound to vfio. One client at a time. It ends with 0 on Ctrl-C and SIGTERM, with 1 when the device has gone.",
    )
    .action(async (device: string, options) => {
      const { vfioServe } = await import("./commands/vfio.js");
      end(await vfioServe(device, options, terminal));
    });
}
