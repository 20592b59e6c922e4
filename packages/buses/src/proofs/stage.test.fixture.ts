/** What the programs about channels stand on: two ends of a pipe, a driver and a host that notice what must not happen. */
import { type Bus, Completion, type ErrnoCode } from "parhelion-core";
import { outcomeOf, type World, watchSystem } from "parhelion-explorer";
import { vgpuCommand } from "parhelion-protocol";
import {
  ChannelType,
  type HostChannel,
  type HostChannelInit,
  type VmbusChannel,
  type VmbusConnection,
  type VmbusDevice,
  type VmbusDriver,
} from "../index.js";
import { type PipeRig, pipeRig } from "../vmbus/pipe.test.fixture.js";

export const type = "11111111-2222-3333-4444-555555555555";
export const instance = "00000000-0000-0000-0000-000000000001";

export class Stage {
  readonly rig: PipeRig;
  /** The channels that the host has offered, in order. */
  readonly offered: HostChannel[] = [];
  readonly #world: World;
  readonly #host: { opens: number; closes: number };
  readonly #drivers = new Map<string, { bound: string }>();

  constructor(world: World) {
    this.#world = world;
    this.rig = pipeRig(world.runtime);
    watchSystem(world, this.rig.system, [this.rig.vmbus as Bus, this.rig.pci as Bus]);
    this.#host = world.share("what the host heard", { opens: 0, closes: 0 });
  }

  connect(offer: () => void = () => {}): Promise<VmbusConnection> {
    return this.rig.connect(() => offer());
  }

  /** Connected, with one channel offered and, if there is no driver, open. */
  async connectOpen(): Promise<VmbusChannel> {
    await this.connect(() => this.offer());
    const { channel } = this.device();
    await this.open(channel);
    return channel;
  }

  offer(init: Partial<HostChannelInit> = {}): HostChannel {
    const heard = this.#host;
    const channel = this.rig.host().offer({
      interfaceType: type,
      interfaceInstance: instance,
      request: () => vgpuCommand.createDevice.reply.encode({ device: 42 }),
      open: () => {
        heard.opens += 1;
      },
      close: () => {
        heard.closes += 1;
        this.#world.expect(heard.closes <= heard.opens, "the host hears of a close that no open came before");
      },
      ...init,
    });
    this.offered.push(channel);
    return channel;
  }

  /** The one that was offered last. */
  rescind(reason = "taken back"): void {
    this.offered.at(-1)?.rescind(reason);
  }

  devices(): readonly VmbusDevice[] {
    return this.rig.system.devicesOf(this.rig.vmbus as Bus) as readonly VmbusDevice[];
  }

  device(): VmbusDevice {
    const [device] = this.devices();
    if (device === undefined) throw new Error("no device");
    return device;
  }

  open(channel: VmbusChannel, deadline?: number): Promise<void> {
    return channel.open(
      { channelType: ChannelType.VGPU_TO_HOST },
      deadline === undefined ? {} : { deadline },
    );
  }

  async request(channel: VmbusChannel, timeoutMs?: number): Promise<void> {
    const { device } = await channel.request(
      vgpuCommand.createDevice,
      {},
      timeoutMs === undefined ? {} : { timeoutMs },
    );
    this.#world.expect(device === 42, `the reply says ${device}`);
  }

  /** Opens its channel in probe; two of them never have one device, nor one of them two of one name. */
  driver(name = "driver"): VmbusDriver<string> {
    const world = this.#world;
    const has = world.share(`what ${name} has`, { bound: "" });
    this.#drivers.set(name, has);
    return {
      name,
      bus: this.rig.vmbus as Bus,
      ids: [{ type }],
      probe: async ({ channel, devres }) => {
        world.expect(has.bound === "", `${name} has ${has.bound} and is given ${channel.name}`);
        await this.open(channel);
        has.bound = channel.name;
        devres.addAction(() => channel.close(), "channel");
        return channel.name;
      },
      remove: async (_device, state) => {
        world.expect(has.bound === state, `${name} is removed from ${state} and has ${has.bound}`);
        await world.point(`${name}: remove`);
        has.bound = "";
      },
    };
  }

  may(run: () => Promise<unknown>, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return outcomeOf(run, ...answers);
  }

  /** Waits until nothing is under way: time passes only then. */
  async quiet(): Promise<void> {
    const { runtime } = this.rig;
    const never = new Completion(runtime, "nothing");
    await this.may(() => never.wait({ deadline: runtime.clock.now() + 1 }), "ETIMEDOUT");
  }

  /** Good-bye; then nobody has anything any more. */
  async end(): Promise<void> {
    await this.rig.close();
    this.#world.expect(this.devices().length === 0, "a device has outlived its connection");
    for (const [name, { bound }] of this.#drivers)
      this.#world.expect(bound === "", `${name} still has ${bound}`);
    const { opens, closes } = this.#host;
    this.#world.expect(opens === closes, `the host heard of ${opens} opens and ${closes} closes`);
  }
}
