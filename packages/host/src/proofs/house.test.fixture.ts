/** A whole host in every order: administrators, kernels that come and go, what engines do, and its end. */
import { VGPU_CHANNEL, type VmbusChannel } from "parhelion-buses";
import { type Bus, type ErrnoCode, isKernelError, KernelError } from "parhelion-core";
import { type Program, type World, watchSystem } from "parhelion-explorer";
import { isControlError, type StatusCode, vgpuCommand } from "parhelion-protocol";
import { adapterBus } from "../adapters/adapter-device.js";
import { House } from "../guests/house.test.fixture.js";
import type { Kernel } from "../guests/kernel.test.fixture.js";
import { HostError } from "../host-error.js";

const gone = [
  "ENODEV",
  "ENOENT",
  "ECONNRESET",
  "ECONNREFUSED",
  "EINVAL",
  "EBADF",
  "ECANCELED",
  "ETIMEDOUT",
  "EAGAIN",
] as const;
const privateData = new TextEncoder().encode(
  JSON.stringify({ label: "", requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" }),
);

class Guest {
  readonly house: House;
  readonly world: World;
  id = "";
  credential = "";
  kernel: Kernel | null = null;
  channel: VmbusChannel | null = null;
  process = 0;
  device = 0;

  constructor(world: World, house = new House(world.runtime, { backOff: { firstMs: 0, mostMs: 0 } })) {
    this.world = world;
    this.house = house;
    watchSystem(world, house.system, [adapterBus, house.mdev.bus as Bus]);
  }

  async create(slices = 1): Promise<void> {
    const { id, credential } = await this.house.guests.create({
      name: "guest",
      slices: Array.from({ length: slices }, () => ({})),
    });
    this.id = id;
    this.credential = credential;
  }

  async enter(): Promise<void> {
    this.kernel = await this.house.enter(this.credential);
  }

  async open(): Promise<void> {
    const { kernel } = this;
    if (kernel === null) throw new Error("no kernel");
    this.process = await kernel.newProcess();
    if (kernel.devices(VGPU_CHANNEL).length === 0) throw new KernelError("ENODEV", "it has no vGPU");
    this.channel = await kernel.open(VGPU_CHANNEL);
  }

  async makeDevice(): Promise<void> {
    const { channel, process } = this;
    if (channel === null) throw new Error("no channel");
    this.device = (await channel.request(vgpuCommand.createDevice, { privateData }, { process })).device;
  }

  async leave(): Promise<void> {
    await this.kernel?.connection.close();
  }

  async may(run: () => Promise<unknown>, answers: readonly ErrnoCode[] = gone): Promise<string> {
    try {
      await run();
      return "done";
    } catch (error) {
      if (error instanceof HostError) return error.code;
      for (const code of answers)
        if (isKernelError(error, code) || isControlError(error, code as StatusCode)) return code;
      throw error;
    }
  }

  /** All goes, and nothing is left of anything. */
  async end(): Promise<void> {
    const { house, world } = this;
    const slices = house.slices.values().flatMap(({ slice }) => slice ?? []);
    await house.close();
    await this.leave();
    world.expect(house.engines.living.length === 0, `${house.engines.living.length} engines live on`);
    const { guests } = house.store;
    world.expect(house.directories.size === guests.length, "a run directory is left");
    world.expect([...house.guests.values()].length === 0, "a guest is left");
    for (const slice of slices) {
      world.expect(slice.devices.size === 0, "a slice that has gone has devices");
      world.expect(slice.allocatedBytes === 0, "a slice that has gone has memory charged to it");
    }
    for (const { level, event, fields } of world.log)
      world.expect(level !== "error", `logged as an error: ${event} ${String(fields["error"])}`);
  }
}

async function used(guest: Guest): Promise<void> {
  await guest.house.build();
  await guest.create();
  await guest.enter();
  await guest.open();
}

const end = (guest: Guest): Promise<void> => guest.end();

export const removalMeetsKernel: Program<Guest> = {
  name: "a guest is removed while its kernel connects",
  setup(world) {
    const guest = new Guest(world);
    world.task("kernel", async () => {
      await guest.may(() => guest.enter());
    });
    world.task("remove", async () => {
      await guest.may(() => guest.house.guests.remove(guest.id));
    });
    return guest;
  },
  async before(guest) {
    await guest.house.build();
    await guest.create();
  },
  after: end,
};

export const twoKernels: Program<Guest> = {
  name: "two kernels with one credential come at once while the connection of one breaks",
  setup(world) {
    const guest = new Guest(world);
    const other = new Guest(world, guest.house);
    world.task("first", async () => {
      await guest.may(() => guest.enter());
    });
    world.task("second", async () => {
      other.credential = guest.credential;
      await other.may(() => other.enter());
    });
    world.task("cut", async () => {
      await world.point("cut");
      guest.house.pipes[0]?.cut();
    });
    return Object.assign(guest, { other });
  },
  async before(guest) {
    await guest.house.build();
    await guest.create();
  },
  async after(guest, world) {
    const { connection } = [...guest.house.guests.values()][0] ?? {};
    const { other } = guest as Guest & { other: Guest };
    world.expect(
      connection === undefined || guest.kernel !== null || other.kernel !== null,
      "the host knows a kernel that does not know the host",
    );
    await guest.end();
    await other.leave();
  },
};

export const leavingMeetsStart: Program<Guest> = {
  name: "a guest leaves while the engine starts for its first device",
  setup(world) {
    const guest = new Guest(world);
    world.task("device", async () => {
      await guest.may(() => guest.makeDevice());
    });
    world.task("leave", async () => {
      await guest.may(() => guest.leave());
    });
    return guest;
  },
  before: used,
  async after(guest, world) {
    const [slice] = [...([...guest.house.guests.values()][0]?.slices ?? [])];
    world.expect(slice?.devices.size === 0, `${slice?.devices.size} devices are charged to nobody's slice`);
    await guest.end();
  },
};

export const closeMeetsStart: Program<Guest> = {
  name: "a guest closes its vGPU and opens it again while the engine starts for its first device",
  setup(world) {
    const guest = new Guest(world);
    world.task("device", async () => {
      await guest.may(() => guest.makeDevice());
    });
    world.task("reopen", async () => {
      guest.channel?.close();
      await guest.may(async () => guest.kernel?.open(VGPU_CHANNEL));
    });
    return guest;
  },
  before: used,
  async after(guest, world) {
    const [slice] = [...([...guest.house.guests.values()][0]?.slices ?? [])];
    const charged = slice?.devices.size ?? 0;
    world.expect(charged === 0 || guest.device !== 0, `${charged} devices are charged that nobody has`);
    await guest.end();
  },
};

export const sliceGoesMeetsOpen: Program<Guest> = {
  name: "a slice is removed while its guest opens it and makes a device",
  setup(world) {
    const guest = new Guest(world);
    world.task("kernel", async () => {
      await guest.may(async () => {
        await guest.open();
        await guest.makeDevice();
      });
    });
    world.task("remove", async () => {
      const { slices } = guest.house;
      for (const { uuid } of slices.heldBy(guest.id)) await guest.may(() => slices.remove(uuid));
    });
    return guest;
  },
  async before(guest) {
    await guest.house.build();
    await guest.create();
    await guest.enter();
  },
  after: end,
};

export const deathMeetsDevice: Program<Guest> = {
  name: "an engine dies while it makes a device: the guest hears of it, by the answer or by a message",
  setup(world) {
    const guest = new Guest(world);
    world.task("device", async () => {
      await guest.may(() => guest.makeDevice());
    });
    world.task("death", async () => guest.house.engines.started[0]?.exit(9));
    return guest;
  },
  async before(guest) {
    await used(guest);
    await guest.makeDevice();
    guest.device = 0;
  },
  async after(guest, world) {
    const { device, kernel, house } = guest;
    if (device !== 0) {
      const { executionState } = await (guest.channel as VmbusChannel).request(
        vgpuCommand.getDeviceState,
        { device, stateType: 1 },
        { process: guest.process },
      );
      const told = kernel?.events.length ?? 0;
      const active = house.engines.living.some(({ devices }) => devices.size > 0);
      world.expect(active || told > 1 || executionState !== 1, `lost, told ${told}, state ${executionState}`);
    }
    await guest.end();
  },
};

export const fenceMeetsAll: Program<Guest> = {
  name: "a fence is waited for while it is signalled, its device destroyed, and the guest's process goes",
  setup(world) {
    const guest = new Guest(world);
    const fence = { handle: 0 };
    const fences = () => ({ device: guest.device, objects: [fence.handle], fenceValues: [1n] });
    const ask = () => ({ process: guest.process });
    world.task("wait", async () => {
      await guest.may(() =>
        (guest.channel as VmbusChannel).request(vgpuCommand.waitForSyncFromCpu, fences(), ask()),
      );
    });
    world.task("signal", async () => {
      await guest.may(() =>
        (guest.channel as VmbusChannel).request(vgpuCommand.signalSyncObject, fences(), ask()),
      );
    });
    world.task("destroy", async () => {
      const { device } = guest;
      await guest.may(() =>
        (guest.channel as VmbusChannel).request(vgpuCommand.destroyDevice, { device }, ask()),
      );
    });
    return Object.assign(guest, { fence });
  },
  async before(guest) {
    await used(guest);
    await guest.makeDevice();
    const { device, process } = guest;
    const asked = { device, kind: 5, flags: 0, initialValue: 0n };
    const { fence } = guest as Guest & { fence: { handle: number } };
    const made = await (guest.channel as VmbusChannel).request(vgpuCommand.createSyncObject, asked, {
      process,
    });
    fence.handle = made.syncObject;
  },
  async after(guest, world) {
    for (const { processes } of [...guest.house.guests.values()].flatMap(
      ({ connection }) => connection ?? [],
    ))
      for (const { process } of processes.values())
        world.expect(
          process.waits === 0,
          `${process.waits} waits are charged to a process that waits for nothing`,
        );
    await guest.end();
  },
};

export const stopMeetsAll: Program<Guest> = {
  name: "the host stops while a kernel makes a device and another guest is created",
  setup(world) {
    const guest = new Guest(world);
    world.task("device", async () => {
      await guest.may(() => guest.makeDevice());
    });
    world.task("create", async () => {
      await guest.may(() => guest.house.guests.create({ name: "late" }));
    });
    world.task("stop", () => guest.house.close());
    return guest;
  },
  before: used,
  after: end,
};

export const stopMeetsDeath: Program<Guest> = {
  name: "the host stops while an engine starts, dies, and the connection breaks",
  setup(world) {
    const guest = new Guest(world);
    world.task("device", async () => {
      await guest.may(() => guest.makeDevice());
    });
    world.task("death", async () => {
      await world.point("death");
      guest.house.engines.started[0]?.exit(9);
    });
    world.task("cut", async () => guest.house.pipes[0]?.cut());
    world.task("stop", () => guest.house.close());
    return guest;
  },
  before: used,
  after: end,
};
