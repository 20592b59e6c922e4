/** The two ways to a device, by its group and by its own file, and devices that go because something above them goes. */

import { MdevBus, type MdevParent } from "parhelion-buses";
import type { Bus, Driver } from "parhelion-core";
import { outcomeOf, type Program, type World } from "parhelion-explorer";
import {
  AttachedDevice,
  type ContainerFile,
  containerCall,
  createVfioMdevDriver,
  type DeviceFile,
  deviceCall,
  Extension,
  type GroupFile,
  groupCall,
} from "../index.js";
import { named, VfioStage } from "./vfio-stage.test.fixture.js";

type Open = { group: GroupFile; container: ContainerFile; device?: DeviceFile };

async function openGroup(stage: VfioStage): Promise<Open> {
  const group = (await stage.system.nodes.get("vfio-0")?.open()) as unknown as GroupFile;
  const container = (await stage.system.nodes.get("vfio")?.open()) as unknown as ContainerFile;
  await groupCall(group, "SET_CONTAINER", { container });
  await containerCall(container, "SET_IOMMU", { type: Extension.TYPE1v2 });
  return { group, container };
}

/** @param plant the device's own file does not ask whether its group is open */
export function eitherWay(plant?: "does not ask"): Program<VfioStage> {
  return {
    name: named("a device is opened by its group and by its own file at once", plant),
    setup(world) {
      const stage = new VfioStage(world);
      const got = world.share("who has it", { group: false, file: false });
      const open: { group: GroupFile | null; file: AttachedDevice | null } = { group: null, file: null };
      world.task("by its group", async () => {
        await outcomeOf(async () => {
          open.group = (await stage.system.nodes.get("vfio-0")?.open()) as unknown as GroupFile;
          got.group = true;
        }, "EBUSY");
        world.expect(!(got.group && got.file), "it is open both ways");
      });
      world.task("by its file", async () => {
        await outcomeOf(async () => {
          open.file = await stage.attached();
          got.file = true;
        }, "EBUSY");
        world.expect(!(got.group && got.file), "it is open both ways");
      });
      return Object.assign(stage, { open });
    },
    async before(stage) {
      await stage.begin();
      if (plant) Object.assign(stage.device.group ?? {}, { block: async () => {}, unblock: async () => {} });
    },
    async after(stage) {
      const { open } = stage as VfioStage & {
        open: { group: GroupFile | null; file: AttachedDevice | null };
      };
      await open.group?.close();
      await open.file?.close();
      await stage.end();
    },
  };
}

/** Who has the group gets the device, or ENODEV, and is left with nothing that could be used. */
export const deviceOfGroup: Program<VfioStage> = {
  name: "a device is got from its group, used and closed while its driver is unbound",
  setup(world) {
    const stage = new VfioStage(world, { options: { revokeMs: 0 } });
    const open: { of: Open | null } = { of: null };
    world.task("user", async () => {
      const { of } = open;
      if (of === null) return;
      let file: DeviceFile | null = null;
      await outcomeOf(async () => {
        file = await groupCall(of.group, "GET_DEVICE_FD", { name: "toy0" });
      }, "ENODEV");
      if (file === null) return;
      await stage.read(file);
      await (file as DeviceFile).close();
    });
    world.task("unbind", () => stage.system.detach(stage.parent));
    return Object.assign(stage, { open });
  },
  async before(stage) {
    await stage.begin();
    const { open } = stage as VfioStage & { open: { of: Open | null } };
    open.of = await openGroup(stage);
  },
  async after(stage) {
    const { open } = stage as VfioStage & { open: { of: Open | null } };
    await open.of?.group.close();
    await open.of?.container.close();
    await stage.end();
  },
};

/** The group is closed first, and stays until its device is closed. */
export const groupClosedFirst: Program<VfioStage> = {
  name: "a group is closed while a device that was got from it is read, and closed",
  setup(world) {
    const stage = new VfioStage(world);
    const open: { of: Open | null } = { of: null };
    world.task("group", async () => {
      await open.of?.group.close();
      await outcomeOf(async () => {
        const again = await stage.system.nodes.get("vfio-0")?.open();
        world.expect(stage.device.openCount === 0, "the group is opened again while a device of it is open");
        await again?.close();
      }, "EBUSY");
    });
    world.task("device", async () => {
      const file = open.of?.device;
      if (file === undefined) return;
      await deviceCall(file, "READ", { offset: 0n, length: 4 });
      await file.close();
    });
    return Object.assign(stage, { open });
  },
  async before(stage) {
    await stage.begin();
    const { open } = stage as VfioStage & { open: { of: Open | null } };
    open.of = await openGroup(stage);
    open.of.device = await groupCall(open.of.group, "GET_DEVICE_FD", { name: "toy0" });
  },
  async after(stage) {
    const { open } = stage as VfioStage & { open: { of: Open | null } };
    await open.of?.container.close();
    await stage.end();
  },
};

const uuid = "00000000-0000-4000-8000-000000000001";

/** A system with the VFIO driver of mdevs, and an mdev that is open. */
class MdevStage extends VfioStage {
  readonly mdev = new MdevBus(this.system);
  user: AttachedDevice | null = null;
  #parent: MdevParent<string> | null = null;
  #driver: Driver | null = null;

  get mdevParent(): MdevParent<string> {
    if (this.#parent === null) throw new Error("not yet");
    return this.#parent;
  }

  async beginOpen(): Promise<void> {
    await this.begin("unbound");
    this.#driver = createVfioMdevDriver<string>(this.vfio, {
      name: "vfio",
      bus: this.mdev.bus as Bus,
      device: () => ({ ops: () => ({ regions: () => [], read: () => new Uint8Array(), write: () => {} }) }),
    }) as Driver;
    await this.system.registerDriver(this.#driver);
    this.#parent = this.mdev.registerParent<string>(this.parent, {
      driverName: "toy",
      types: [{ name: "full", deviceApi: "vfio-pci" }],
      uses: ["vfio"],
      available: { policy: "counter", instances: 1 },
      create: () => "state",
    });
    await this.#parent.create("full", uuid);
    this.user = await AttachedDevice.open(this.system, "vfio0");
  }

  async endClosed(): Promise<void> {
    await this.mdevParent.unregister();
    this.world.expect(this.mdev.find(uuid) === undefined, "the mdev is still there");
    const { user } = this;
    if (user?.file.state === "open") {
      const answer = await outcomeOf(() => deviceCall(user.file, "GET_INFO", { argsz: 16 }), "ENODEV");
      this.world.expect(answer === "ENODEV", "an open file of what was removed answers");
      await user.close();
    }
    if (this.#driver !== null) await this.system.unregisterDriver(this.#driver);
    await this.mdev.unregister();
    await this.end();
  }
}

function mdevProgram(name: string, tasks: (world: World, stage: MdevStage) => void): Program<MdevStage> {
  return {
    name,
    setup(world) {
      const stage = new MdevStage(world, { options: { revokeMs: 0 } });
      tasks(world, stage);
      return stage;
    },
    before: (stage) => stage.beginOpen(),
    after: (stage) => stage.endClosed(),
  };
}

/** D7.5 with the parent: what is open keeps neither the mdev nor its parent. */
export const parentUnregistered = mdevProgram(
  "an mdev's parent is unregistered while its VFIO device is closed",
  (world, stage) => {
    world.task("unregister", () => stage.mdevParent.unregister());
    world.task("user", async () => {
      await stage.user?.close();
    });
  },
);

export const mdevRemoved = mdevProgram(
  "an mdev is removed while its VFIO device is open, and its parent unregistered",
  (world, stage) => {
    world.task("remove", async () => {
      await outcomeOf(() => stage.mdev.remove(uuid), "ENODEV");
    });
    world.task("unregister", () => stage.mdevParent.unregister());
  },
);
