/** The commands about disk images, with their options and help. */
import { type Command, Option } from "commander";
import { devnoOption } from "../ccw/device-number.js";
import { jsonOption, logOption } from "../options.js";
import type { Terminal } from "../terminal.js";

type End = (status: number) => void;

export function addDasdCommands(program: Command, terminal: Terminal, end: End): void {
  const dasd = program
    .command("dasd")
    .description("look into images of mainframe disks (CKD and CCKD), and attach them")
    .addHelpText(
      "after",
      "\nImages are those of Hercules: uncompressed or compressed, of 3390s and other CKD disks.\n" +
        "parhelion dasd ls disk.cckd\n" +
        "parhelion dasd cat disk.cckd 'SYS1.PARMLIB(IEASYS00)'",
    );
  addReading(dasd, terminal, end);
  addAttach(dasd, terminal, end);
}

function addReading(dasd: Command, terminal: Terminal, end: End): void {
  dasd
    .command("info")
    .description("print geometry, volume label, format and use of space")
    .argument("<image>", "the image's file; of several, the first; or the socket of an attached disk")
    .option("--check", "read every track, and list those that can't be read; then it exits with 1")
    .addOption(jsonOption())
    .action(async (image: string, options) => {
      const { dasdInfo } = await import("./info.js");
      end(await dasdInfo({ ...options, image }, terminal));
    });

  dasd
    .command("ls")
    .description("list a volume's datasets, or a partitioned dataset's members")
    .argument("<image>", "the image's file, or the socket of an attached disk")
    .argument("[dataset]", "list its members")
    .addOption(jsonOption())
    .action(async (image: string, dataset: string | undefined, options) => {
      const { dasdLs } = await import("./ls.js");
      end(await dasdLs({ ...options, image, dataset }, terminal));
    });

  dasd
    .command("cat")
    .description("print a sequential dataset, or a member of a partitioned one")
    .argument("<image>", "the image's file, or the socket of an attached disk")
    .argument("<dataset>", "its name; a member in parentheses: 'SYS1.PARMLIB(IEASYS00)'")
    .option(
      "--binary",
      "the records' bytes as they are, one after the other; else text, a line for each record",
    )
    .addOption(jsonOption().conflicts("binary"))
    .addHelpText(
      "after",
      "\nText is EBCDIC of code page 037, and comes as UTF-8; blanks at a line's end are left out.\n" +
        'With --json: {"dataset", "member", "records": [text, …]}.',
    )
    .action(async (image: string, dataset: string, options) => {
      const { dasdCat } = await import("./cat.js");
      end(await dasdCat({ ...options, image, dataset }, terminal));
    });
}

function addAttach(dasd: Command, terminal: Terminal, end: End): void {
  dasd
    .command("attach")
    .description(
      "put a 3390 behind a subchannel, and serve that as a vfio-ccw device on a socket, until it is asked to end",
    )
    .argument("<image>", "the image's file")
    .requiredOption("--socket <path>", "where to listen")
    .option("--read-only", "writes end with unit check, write inhibited")
    .addOption(devnoOption(0x0100))
    .addOption(
      new Option(
        "--durable <when>",
        "when what a program wrote is on disk: at its end, or at the latest when attach ends",
      )
        .choices(["program", "close"])
        .default("program"),
    )
    .addOption(logOption("error"))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nSpeaks the vfio-user protocol. With --json it prints one line when it listens: socket, device, devno.",
    )
    .action(async (image: string, options) => {
      const { dasdAttach } = await import("./attach.js");
      end(await dasdAttach({ ...options, image }, terminal));
    });
}
