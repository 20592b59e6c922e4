/** The other end of a guest's connection, for tests of the host's. */
import type { Duplex } from "node:stream";
import {
  ChannelType,
  type Command,
  createVmbus,
  GLOBAL_CHANNEL,
  type VmbusCarrier,
  type VmbusChannel,
  VmbusConnection,
  type VmbusDevice,
} from "parhelion-buses";
import { createRuntime, type Runtime, System } from "parhelion-core";
import { vmCommand } from "parhelion-protocol";

/** A guest kernel without drivers: its channels are used by hand. */
export class Kernel {
  readonly system: System;
  readonly bus = createVmbus();
  readonly events: Command[] = [];
  connection!: VmbusConnection;

  private constructor(runtime: Runtime) {
    this.system = new System(runtime);
    this.system.registerBus(this.bus as never);
  }

  /** @throws what VmbusConnection.connect throws */
  static async connect(
    stream: Duplex | VmbusCarrier,
    credential: string,
    runtime = createRuntime(),
  ): Promise<Kernel> {
    const kernel = new Kernel(runtime);
    kernel.connection = await VmbusConnection.connect(kernel.system, kernel.bus, stream, {
      name: "test",
      credential,
    });
    return kernel;
  }

  devices(type: string): VmbusDevice[] {
    return this.system
      .devicesOf(this.bus as never)
      .filter((device) => (device as VmbusDevice).offer.interfaceType === type) as VmbusDevice[];
  }

  async open(type: string, index = 0): Promise<VmbusChannel> {
    const channel = this.devices(type)[index]?.channel as VmbusChannel;
    const channelType = type === GLOBAL_CHANNEL ? ChannelType.VM_TO_HOST : ChannelType.VGPU_TO_HOST;
    await channel.open({ channelType, message: (command) => this.events.push(command) });
    return channel;
  }

  async newProcess(): Promise<number> {
    const channel = this.devices(GLOBAL_CHANNEL)[0]?.channel as VmbusChannel;
    if (channel.state !== "open") await this.open(GLOBAL_CHANNEL);
    return (await channel.request(vmCommand.createProcess, { processId: 7, name: "app" })).process;
  }
}
