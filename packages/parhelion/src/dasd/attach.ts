/** `parhelion dasd attach`: an image as a 3390 behind a subchannel, passed through as a vfio-ccw device, served on a socket. */
import { resolve } from "node:path";
import { Dasd3390, DiskImage } from "parhelion-ccw";
import { createRuntime } from "parhelion-core";
import { serveDevice } from "../ccw/serve-device.js";
import type { ChosenLogLevel } from "../log-levels.js";
import { logAt } from "../logging.js";
import type { Terminal } from "../terminal.js";
import { printable } from "../views/printable.js";

export interface DasdAttach {
  readonly image: string;
  readonly socket: string;
  readonly devno: number;
  readonly durable: "program" | "close";
  readonly readOnly?: boolean;
  readonly logLevel: ChosenLogLevel;
  readonly json?: boolean;
}

export async function dasdAttach(options: DasdAttach, terminal: Terminal): Promise<number> {
  const { durable, devno } = options;
  const image = await DiskImage.open(resolve(terminal.workingDirectory, options.image), {
    access: options.readOnly === true ? "read-only" : "read-write",
  });
  try {
    const device = new Dasd3390(image, {
      durable,
      onFailure: (error) =>
        terminal.err(`parhelion: ${printable(error instanceof Error ? error.message : String(error))}`),
    });
    const socket = resolve(terminal.workingDirectory, options.socket);
    await serveDevice(
      { runtime: createRuntime({ log: logAt(options.logLevel) }), device, devno, socket },
      (place) => {
        const { subchannel } = place;
        if (options.json)
          terminal.out(
            JSON.stringify({ event: "listening", socket, device: subchannel, devno: place.devno }),
          );
        else
          terminal.out(
            `${printable(options.image)} is disk ${place.devno} at subchannel ${subchannel}, served at ${printable(socket)}`,
          );
      },
    );
    return 0;
  } finally {
    await image.close();
  }
}
