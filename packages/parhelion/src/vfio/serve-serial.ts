/** A serial card that lives in this process, served on a socket. */
import { resolve } from "node:path";
import { MdevBus } from "parhelion-buses";
import { createRuntime, type Driver, type LogSink, noDeadline, System } from "parhelion-core";
import {
  createSerialDriver,
  type LineChoice,
  loadKoffi,
  type PluggedLine,
  parseLine,
  plugLine,
  SerialParent,
  type SerialPort,
  type SerialPorts,
  Vfio,
  VfioUserServer,
  vfioDeviceOf,
} from "parhelion-vfio";
import { CommandError } from "../command-error.js";
import { explainTerminal } from "./explain-listening.js";

export interface ServedLine {
  readonly port: number;
  readonly what: LineChoice["kind"];
  /** Where programs of this machine reach it; null: nowhere. */
  readonly path: string | null;
}

/** A device on a socket. */
export interface ServedDevice {
  readonly device: string;
  readonly socket: string;
  readonly lines: readonly ServedLine[];
  /** Resolves, with the reason, when it is served no more though nobody asked for that. Never rejects. */
  readonly ended: Promise<string>;
  /** Takes the device from its client and removes the socket. */
  close(): Promise<void>;
}

export interface SerialWish {
  readonly ports: SerialPorts;
  readonly socket: string;
  /** As `parseLine` takes them; for ports without one, a loop-back plug. */
  readonly lines: readonly string[];
  readonly workingDirectory: string;
  readonly log: LogSink;
}

/** @throws CommandError bad-line, listen-failed, no-pty */
export async function serveSerial(wish: SerialWish): Promise<ServedDevice> {
  const { ports, socket, log } = wish;
  const choices = choicesOf(wish);
  const runtime = createRuntime({ log });
  const system = new System(runtime);
  const mdev = new MdevBus(system);
  const vfio = await Vfio.create(system, { revokeMs });
  const plugged: PluggedLine[] = [];
  const found: SerialPort[] = [];
  const driver = createSerialDriver(vfio, mdev, (port, number) => {
    found[number] = port;
    return () => undefined;
  });
  await system.registerDriver(driver as Driver);
  const parent = await SerialParent.register(mdev, "serial", ports);
  const end = async () => {
    await parent.unregister();
    for (const line of plugged) await line.close();
    await system.unregisterDriver(driver as Driver);
    await vfio.close();
    await mdev.unregister();
  };
  try {
    const koffi = await loadKoffi();
    const card = await parent.create(ports, runtime.ids.uuid());
    for (const [number, choice] of choices.entries()) {
      const port = found[number];
      if (port !== undefined) plugged.push(await plugLine({ runtime, koffi }, port, choice));
    }
    const device = vfioDeviceOf(card)?.name ?? "";
    const server = await VfioUserServer.listen(system, { device, socketPath: socket, koffi });
    return {
      device: ports === 1 ? "serial" : "serial:2",
      socket,
      lines: plugged.map(({ path }, port) => ({ port, what: choices[port]?.kind ?? "loop-back", path })),
      ended: server.ended({ deadline: noDeadline }),
      async close() {
        await server.close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw explainTerminal(error);
  }
}

/** A client that does not let go is cut off after so long. */
const revokeMs = 2_000;

/** @throws CommandError bad-line */
function choicesOf({ ports, lines, workingDirectory }: SerialWish): readonly LineChoice[] {
  if (lines.length > ports)
    throw new CommandError(
      "bad-line",
      `the card has ${ports} ${ports === 1 ? "port" : "ports"}, and ${lines.length} were plugged into something`,
      "give --line once for each port at most",
      { exitStatus: 2 },
    );
  return Array.from({ length: ports }, (_, port) => {
    try {
      const choice = parseLine(lines[port] ?? "loop-back");
      return choice.kind === "unix" ? { ...choice, path: resolve(workingDirectory, choice.path) } : choice;
    } catch (error) {
      throw new CommandError("bad-line", (error as Error).message, "write loop-back, pty or unix:PATH", {
        cause: error,
        exitStatus: 2,
      });
    }
  });
}
