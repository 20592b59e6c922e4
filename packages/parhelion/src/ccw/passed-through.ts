/** A machine with one device behind a subchannel, and what passes that through: its VFIO device is there to be served. */
import { randomUUID } from "node:crypto";
import { CssBus, MdevBus, type SubchannelId, subchannelName } from "parhelion-buses";
import { type ChannelDevice, ChannelSubsystem, HostStorage, VfioCcw } from "parhelion-ccw";
import { type Runtime, System } from "parhelion-core";
import { Vfio } from "parhelion-vfio";

export class PassedThrough {
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

  /** @param devno 0-65535 */
  static async start(runtime: Runtime, device: ChannelDevice, devno: number): Promise<PassedThrough> {
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
      const id = machine.attach({ device, devno, chpids: [0x10] });
      await css.settle();
      return new PassedThrough(system, await passThrough(system, css, mdev, id), subchannelName(id), end);
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
