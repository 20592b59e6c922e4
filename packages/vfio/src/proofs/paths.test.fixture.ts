/** The two ways to a device, by its group and by its own file, and what its group promises who has it. */
import { outcomeOf, type Program, type World } from "parhelion-explorer";
import { hand } from "../device/handed-file.js";
import { DeviceUse } from "../device/use.js";
import {
  type AttachedDevice,
  type ContainerFile,
  containerCall,
  type DeviceFile,
  deviceCall,
  Extension,
  type GroupFile,
  groupCall,
  VfioDevice,
} from "../index.js";
import { type Going, named, VfioStage } from "./vfio-stage.test.fixture.js";

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

type WithGroup = VfioStage & { open: { of: Open | null } };

function withGroup(stage: VfioStage): WithGroup {
  return Object.assign(stage, { open: { of: null } });
}

/** Does not count the files that its group hands out. */
class Uncounted extends VfioDevice {
  readonly #mine = new Set<DeviceUse>();

  override async openThroughGroup(): Promise<DeviceFile> {
    const use = new DeviceUse(this, 1000 + this.#mine.size);
    this.#mine.add(use);
    await use.openContained();
    return hand(this, use);
  }

  override ended(use: DeviceUse): void {
    if (!this.#mine.has(use)) super.ended(use);
  }
}

/**
 * Who has the group gets the device, or ENODEV, and is left with nothing that could be used.
 * @param plant a file that came from the group is not known to the device
 */
export function deviceOfGroup(how: Going, plant?: "does not count"): Program<WithGroup> {
  return {
    name: named(`a device is got from its group and read while it is ${how}`, plant),
    setup(world) {
      const stage = withGroup(
        new VfioStage(world, { options: { revokeMs: 0 }, ...(plant && { DeviceClass: Uncounted }) }),
      );
      world.task("user", async () => {
        const { of } = stage.open;
        if (of === null) return;
        await outcomeOf(async () => {
          of.device = await groupCall(of.group, "GET_DEVICE_FD", { name: "toy0" });
        }, "ENODEV");
        if (of.device === undefined) return;
        const { life } = stage.device;
        const answer = await stage.read(of.device);
        world.expect(answer === "ENODEV" || life !== "revoked", "it is read after it was taken away");
      });
      world.task("remover", () => stage.go(how));
      return stage;
    },
    async before(stage) {
      await stage.begin();
      stage.open.of = await openGroup(stage);
    },
    async after(stage) {
      const { of } = stage.open;
      await of?.device?.close();
      await of?.group.close();
      await of?.container.close();
      await stage.end();
    },
  };
}

/** Hands out something that its group does not know how to close. */
class Wrapped extends VfioDevice {
  override async openThroughGroup(): Promise<DeviceFile> {
    const file = await super.openThroughGroup();
    return { close: () => file.close() } as DeviceFile;
  }
}

/**
 * Whoever asks for a device gives up at some time: either it has the device's file, or nobody has.
 * @param plant what comes too late is left open
 */
export function deviceTooLate(plant?: "left open"): Program<WithGroup> {
  return {
    name: named("a device is got from its group by who gives up", plant),
    setup(world) {
      const stage = withGroup(new VfioStage(world, plant && { DeviceClass: Wrapped }));
      world.task("user", async () => {
        const { of } = stage.open;
        if (of === null) return;
        const deadline = world.runtime.clock.now() + 1000;
        await outcomeOf(async () => {
          of.device = await groupCall(of.group, "GET_DEVICE_FD", { name: "toy0" }, { deadline });
        }, "ETIMEDOUT");
      });
      return stage;
    },
    async before(stage) {
      await stage.begin();
      stage.open.of = await openGroup(stage);
    },
    async after(stage, world) {
      const { of } = stage.open;
      world.expect(
        stage.device.openCount === (of?.device === undefined ? 0 : 1),
        "the device is open and nobody has it",
      );
      await of?.device?.close();
      await of?.group.close();
      await of?.container.close();
      await stage.end();
    },
  };
}

/**
 * The group is closed first, and stays until its device is closed.
 * @param plant a device does not keep the group that it came from
 */
export function groupClosedFirst(plant?: "does not hold"): Program<WithGroup> {
  return {
    name: named("a group is closed while a device that was got from it is read, and closed", plant),
    setup(world) {
      const stage = withGroup(new VfioStage(world));
      world.task("group", async () => {
        await stage.open.of?.group.close();
        await outcomeOf(async () => {
          const again = await stage.system.nodes.get("vfio-0")?.open();
          world.expect(
            stage.device.openCount === 0,
            "the group is opened again while a device of it is open",
          );
          await again?.close();
        }, "EBUSY");
      });
      world.task("device", async () => {
        const file = stage.open.of?.device;
        if (file === undefined) return;
        await deviceCall(file, "READ", { offset: 0n, length: 4 });
        await file.close();
      });
      return stage;
    },
    async before(stage) {
      await stage.begin();
      const { group } = stage.device;
      if (plant && group !== null) {
        const { drop } = group;
        let dropped = 0;
        Object.assign(group, {
          hold: () => {},
          drop: async () => {
            dropped += 1;
            if (dropped === 1) await drop.call(group);
          },
        });
      }
      stage.open.of = await openGroup(stage);
      stage.open.of.device = await groupCall(stage.open.of.group, "GET_DEVICE_FD", { name: "toy0" });
    },
    async after(stage) {
      await stage.open.of?.container.close();
      await stage.end();
    },
  };
}

/**
 * Whoever has a device has its address space: UNSET_CONTAINER answers EBUSY then, or the device is not to be had.
 * @param plant a device in use is counted when it is open, after its driver has opened it
 */
export function detachAndOpen(plant?: "counts when it is open"): Program<WithGroup> {
  return {
    name: named("a group leaves its container while a device is got from it", plant),
    setup(world) {
      const stage = withGroup(new VfioStage(world));
      const has = world.share("what the user has", { container: true, device: false });
      world.task("user", async () => {
        const { of } = stage.open;
        if (of === null) return;
        await outcomeOf(async () => {
          of.device = await groupCall(of.group, "GET_DEVICE_FD", { name: "toy0" });
          has.device = true;
        }, "EINVAL");
        world.expect(has.container || !has.device, "a device without an address space");
      });
      world.task("administrator", async () => {
        const { of } = stage.open;
        if (of === null) return;
        await outcomeOf(async () => {
          await groupCall(of.group, "UNSET_CONTAINER", {});
          has.container = false;
        }, "EBUSY");
        world.expect(has.container || !has.device, "an address space went though its device is in use");
      });
      return stage;
    },
    async before(stage, world) {
      await stage.begin();
      const { group } = stage.device;
      if (plant && group !== null) {
        const { use, unuse } = group;
        Object.assign(group, {
          // It is known to be open only when it is.
          use: () => {
            const ioas = use.call(group);
            unuse.call(group);
            return ioas;
          },
          hold: () => use.call(group),
          unuse: () => unuse.call(group),
        });
        Object.assign(group.mutex, { withLock: unlocked(world) });
      }
      stage.open.of = await openGroup(stage);
    },
    async after(stage) {
      const { of } = stage.open;
      await of?.device?.close();
      await of?.group.close();
      await of?.container.close();
      await stage.end();
    },
  };
}

function unlocked(world: World) {
  return async (run: () => unknown): Promise<unknown> => {
    await world.point("no lock");
    return run();
  };
}
