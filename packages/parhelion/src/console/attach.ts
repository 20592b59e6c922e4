/** `parhelion console attach`: a 3215 behind a subchannel, served on a socket, with its paper and keyboard on this machine. */
import { resolve } from "node:path";
import { Console3215 } from "parhelion-ccw";
import { createRuntime } from "parhelion-core";
import { serveDevice } from "../ccw/serve-device.js";
import type { ChosenLogLevel } from "../log-levels.js";
import { logAt } from "../logging.js";
import type { Terminal } from "../terminal.js";
import { printable } from "../views/printable.js";
import { openHostTerminal } from "./host-terminal.js";
import { parseTerminal } from "./terminal-choice.js";

export interface ConsoleAttach {
  readonly socket: string;
  readonly terminal: string;
  readonly devno: number;
  readonly logLevel: ChosenLogLevel;
  readonly json?: boolean;
}

export async function consoleAttach(options: ConsoleAttach, terminal: Terminal): Promise<number> {
  const { devno, json } = options;
  const { workingDirectory } = terminal;
  const runtime = createRuntime({ log: logAt(options.logLevel) });
  const device = new Console3215(runtime, devno.toString(16).padStart(4, "0"));
  const choice = parseTerminal(options.terminal);
  const hostTerminal = await openHostTerminal(device, choice, workingDirectory);
  try {
    const { kind, path, link } = hostTerminal;
    const socket = resolve(workingDirectory, options.socket);
    await serveDevice({ runtime, device, devno, socket }, (place) => {
      if (json === true)
        terminal.out(
          JSON.stringify({
            event: "listening",
            socket,
            device: place.subchannel,
            devno: place.devno,
            terminal: { kind, path, link },
          }),
        );
      else {
        terminal.out(
          `console ${place.devno} is at subchannel ${place.subchannel}, served at ${printable(socket)}`,
        );
        terminal.out(`its terminal is ${printable(path)}${link === null ? "" : `, by ${printable(link)}`}`);
      }
    });
    return 0;
  } finally {
    await hostTerminal.close();
  }
}
