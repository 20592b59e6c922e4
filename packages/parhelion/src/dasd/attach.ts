/** `parhelion dasd attach`: an image as a 3390 behind a subchannel, passed through as a vfio-ccw device, served on a socket. */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { CssBus, MdevBus, type SubchannelId, subchannelName } from "parhelion-buses";
import { ChannelSubsystem, Dasd3390, DiskImage, HostStorage, VfioCcw } from "parhelion-ccw";
import { createRuntime, noDeadline, System } from "parhelion-core";
import { loadKoffi, Vfio, VfioUserServer } from "parhelion-vfio";
import { type Terminal, untilAskedToEnd } from "../terminal.js";
import { printable } from "../views/printable.js";

export interface DasdAttach {
  readonly image: string;
  readonly socket: string;
  readonly devno: number;
  readonly durable: "program" | "close";
  readonly readOnly?: boolean;
  readonly json?: boolean;
}

export async function dasdAttach(options: DasdAttach, terminal: Terminal): Promise<number> {
  const path = resolve(terminal.workingDirectory, options.image);
  const image = await DiskImage.open(path, {
    access: options.readOnly === true ? "read-only" : "read-write",
  });
  const end = untilAskedToEnd();
  try {
    const machine = await Machine.start(image, options, terminal);
    try {
      const socketPath = resolve(terminal.workingDirectory, options.socket);
      const { system, node } = machine;
      const server = await VfioUserServer.listen(system, {
        device: node,
        socketPath,
        koffi: await loadKoffi(),
      });
      const devno = options.devno.toString(16).padStart(4, "0");
      if (options.json)
        terminal.out(
          JSON.stringify({ event: "listening", socket: socketPath, device: machine.subchannel, devno }),
        );
      else
        terminal.out(
          `${printable(options.image)} is disk ${devno} at subchannel ${machine.subchannel}, served at ${printable(socketPath)}`,
        );
      try {
        const gone = await Promise.race([
          end.signal.then(() => undefined),
          server.ended({ deadline: noDeadline }),
        ]);
        if (gone !== undefined) terminal.err(`the device is gone: ${printable(gone)}`);
        return gone === undefined ? 0 : 1;
      } finally {
        await server.close();
      }
    } finally {
      await machine.end();
    }
  } finally {
    end.dispose();
    await image.close();
  }
}

/** A machine with one disk, and what passes it through. */
class Machine {
  readonly system: System;
  /** Of the VFIO device. */
  readonly node: string;
  readonly subchannel: string;
  readonly #end: () => Promise<void>;

  private constructor(system: System, node: string, subchannel: string, end: () => Promise<void>) {
    this.system = system;
    this.node = node;
    this.subchannel = subchannel;
    this.#end = end;
  }

  static async start(image: DiskImage, options: DasdAttach, terminal: Terminal): Promise<Machine> {
    const runtime = createRuntime();
    const system = new System(runtime);
    const storage = new HostStorage(runtime);
    const machine = new ChannelSubsystem(runtime, { storage });
    const css = new CssBus(system, machine);
    const mdev = new MdevBus(system);
    const vfio = await Vfio.create(system);
    await css.start();
    const ccw = new VfioCcw({ css, mdev, vfio, storage });
    await ccw.register();
    const end = async () => {
      await ccw.unregister();
      await vfio.close();
      await mdev.unregister();
      await css.stop();
    };
    try {
      const device = new Dasd3390(image, {
        durable: options.durable,
        onFailure: (error) =>
          terminal.err(`parhelion: ${printable(error instanceof Error ? error.message : String(error))}`),
      });
      const id = machine.attach({ device, devno: options.devno, chpids: [0x10] });
      await css.settle();
      return new Machine(system, await passThrough(system, css, mdev, id), subchannelName(id), end);
    } catch (error) {
      await end();
      throw error;
    }
  }

  end(): Promise<void> {
    return this.#end();
  }
}

/** @returns the name of the VFIO device's node */
async function passThrough(system: System, css: CssBus, mdev: MdevBus, id: SubchannelId): Promise<string> {
  const subchannel = css.find(subchannelName(id));
  const uuid = randomUUID();
  if (subchannel !== undefined)
    await system.sysfs.write(`/sys${subchannel.devpath}/mdev_supported_types/vfio_ccw-io/create`, uuid);
  const node = [...(mdev.find(uuid)?.children ?? [])].find(({ name }) => name.startsWith("vfio"));
  if (node === undefined) throw new Error(`subchannel ${subchannelName(id)} was not passed through`);
  return node.name;
}
