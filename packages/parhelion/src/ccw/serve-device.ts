/** A channel device served on a socket, until the command is asked to end. */
import type { ChannelDevice } from "parhelion-ccw";
import { noDeadline, type Runtime } from "parhelion-core";
import { loadKoffi, VfioUserServer } from "parhelion-vfio";
import { CommandError } from "../command-error.js";
import { untilAskedToEnd } from "../terminal.js";
import { explainListening } from "../vfio/explain-listening.js";
import { PassedThrough } from "./passed-through.js";

export interface DeviceWish {
  readonly runtime: Runtime;
  readonly device: ChannelDevice;
  /** 0-65535. */
  readonly devno: number;
  /** Absolute path. */
  readonly socket: string;
}

export interface DevicePlace {
  readonly socket: string;
  readonly subchannel: string;
  /** Four hexadecimal digits. */
  readonly devno: string;
}

/**
 * Returns when the command was asked to end, with everything taken down.
 * @param ready told where it is once clients can connect
 * @throws CommandError listen-failed, device-gone
 */
export async function serveDevice(wish: DeviceWish, ready: (place: DevicePlace) => void): Promise<void> {
  const { runtime, device, devno, socket } = wish;
  const end = untilAskedToEnd();
  try {
    const machine = await PassedThrough.start(runtime, device, devno);
    try {
      const server = await listening(machine, socket);
      try {
        ready({ socket, subchannel: machine.subchannel, devno: devno.toString(16).padStart(4, "0") });
        const asked = end.signal.then(() => null);
        const why = await Promise.race([asked, server.ended({ deadline: noDeadline })]);
        if (why !== null)
          throw new CommandError("device-gone", `the device is served no more: ${why}`, "attach it again");
      } finally {
        await server.close();
      }
    } finally {
      await machine.end();
    }
  } finally {
    end.dispose();
  }
}

async function listening({ system, node }: PassedThrough, socketPath: string): Promise<VfioUserServer> {
  try {
    return await VfioUserServer.listen(system, { device: node, socketPath, koffi: await loadKoffi() });
  } catch (error) {
    throw explainListening(error);
  }
}
