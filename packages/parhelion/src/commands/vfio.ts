/** `parhelion vfio`: devices for virtual machine monitors and other processes. */
import { resolve } from "node:path";
import { CommandError } from "../command-error.js";
import { reachHost } from "../host/host-access.js";
import type { ChosenLogLevel } from "../log-levels.js";
import { logAt } from "../logging.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";
import { type ServableDevice, servableDevices } from "../vfio/servable.js";
import { type ServedDevice, serveSerial } from "../vfio/serve-serial.js";
import { serveSlice } from "../vfio/serve-slice.js";
import { servableView } from "../views/vfio.js";

export interface VfioListCommand {
  readonly state?: string;
  readonly json?: boolean;
}

export interface VfioServeCommand {
  readonly socket: string;
  readonly line?: readonly string[];
  readonly state?: string;
  readonly logLevel: ChosenLogLevel;
  readonly json?: boolean;
}

/** What a host has is listed where one runs. */
export async function vfioList({ state, json }: VfioListCommand, terminal: Terminal): Promise<number> {
  const devices: readonly ServableDevice[] = await servableDevices(state);
  terminal.out(json === true ? JSON.stringify(devices, null, 2) : servableView(devices));
  return 0;
}

export async function vfioServe(
  device: string,
  options: VfioServeCommand,
  terminal: Terminal,
): Promise<number> {
  const image = /^ccw:(.+)$/s.exec(device)?.[1];
  if (image !== undefined) return serveImage(image, options, terminal);
  const end = untilAskedToEnd();
  try {
    const served = await serve(device, options, terminal);
    try {
      const { socket, lines } = served;
      if (options.json === true)
        terminal.out(JSON.stringify({ event: "listening", device: served.device, socket, lines }));
      else {
        terminal.out(`serving ${served.device} at ${socket}`);
        for (const { port, what, path } of lines)
          terminal.out(`port ${port} is plugged into ${path === null ? what : `${what} ${path}`}`);
      }
      const why = await Promise.race([end.signal.then(() => null), served.ended]);
      if (why === null) return 0;
      throw new CommandError(
        "device-gone",
        `${served.device} is served no more: ${why}`,
        "serve it again when it is back",
      );
    } finally {
      await served.close();
    }
  } finally {
    end.dispose();
  }
}

/** A disk behind a subchannel: `dasd attach` with what it has as defaults. */
async function serveImage(image: string, options: VfioServeCommand, terminal: Terminal): Promise<number> {
  refuseLines(options);
  const { dasdAttach } = await import("../dasd/attach.js");
  const { socket, json, logLevel } = options;
  const defaults = { devno: 0x0100, durable: "program" } as const;
  return dasdAttach(
    { ...defaults, image, socket, logLevel, ...(json === undefined ? {} : { json }) },
    terminal,
  );
}

/** @throws CommandError bad-line */
function refuseLines({ line: lines = [] }: VfioServeCommand): void {
  if (lines.length > 0)
    throw new CommandError(
      "bad-line",
      "only serial cards have ports to plug into something",
      "leave --line out",
      { exitStatus: 2 },
    );
}

async function serve(device: string, options: VfioServeCommand, terminal: Terminal): Promise<ServedDevice> {
  const socket = resolve(terminal.workingDirectory, options.socket);
  const { line: lines = [] } = options;
  const ports = /^serial(?::([12]))?$/.exec(device);
  if (ports !== null)
    return serveSerial({
      ports: ports[1] === "2" ? 2 : 1,
      socket,
      lines,
      workingDirectory: terminal.workingDirectory,
      log: logAt(options.logLevel),
    });
  if (!/^[0-9a-f][0-9a-f-]*$/i.test(device))
    throw new CommandError(
      "no-device",
      `there is no device ${JSON.stringify(device)} to serve`,
      "serve serial, serial:2, ccw:IMAGE or a slice's UUID; `parhelion vfio ls` lists them",
    );
  refuseLines(options);
  return serveSlice(await reachHost({ stateDirectory: options.state }), device, socket);
}
