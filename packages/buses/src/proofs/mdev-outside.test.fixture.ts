/** Mdevs while others act on them who are not the mdev bus: the tree, drivers, clocks, and the parent's own driver. */
import type { Bus, Device, Driver } from "parhelion-core";
import { outcomeOf, type Program } from "parhelion-explorer";
import type { MdevDevice } from "../index.js";
import { adapters, MdevStage, other, uuid } from "./mdev-stage.test.fixture.js";

const end = (stage: MdevStage): Promise<void> => stage.end();

/** Removed by the tree's own means while it is … */
export function removedFromOutside(meanwhile: "created" | "removed" | "unregistered"): Program<MdevStage> {
  return {
    name: `an mdev is removed by somebody else while it is ${meanwhile}`,
    setup(world) {
      const stage = new MdevStage(world);
      world.task("somebody else", async () => {
        const device = stage.mdev.find(uuid);
        if (device === undefined) return;
        device.get();
        await outcomeOf(() => stage.system.removeDevice(device), "ENODEV");
        device.put();
      });
      world.task(meanwhile, async () => {
        if (meanwhile === "created") await stage.create(uuid, "ENODEV");
        else if (meanwhile === "removed") await stage.remove(uuid, "ENODEV", "ENOENT");
        else await stage.parent.unregister();
      });
      return stage;
    },
    before: (stage) => stage.begin(meanwhile === "created" ? [] : [uuid]),
    after: end,
  };
}

export const useAndUnregister: Program<MdevStage> = {
  name: "an mdev changes its use while its parent is unregistered",
  setup(world) {
    const stage = new MdevStage(world);
    world.task("use", async () => {
      await outcomeOf(() => stage.mdev.setUse(uuid, "local"), "ENODEV");
    });
    world.task("unregister", () => stage.parent.unregister());
    return stage;
  },
  before: (stage) => stage.begin([uuid]),
  after: end,
};

export const twoUses: Program<MdevStage> = {
  name: "two change the use of one mdev",
  setup(world) {
    const stage = new MdevStage(world);
    world.task("local", async () => {
      await outcomeOf(() => stage.mdev.setUse(uuid, "local"), "EBUSY");
    });
    world.task("none", async () => {
      await outcomeOf(() => stage.mdev.setUse(uuid, null), "ENODEV");
    });
    return stage;
  },
  before: (stage) => stage.begin([uuid]),
  after: end,
};

/** The caller may give up at any step: then nothing is left of what it began. */
export const hastyCreate: Program<MdevStage> = {
  name: "a create whose deadline may pass at any moment",
  setup(world) {
    const stage = new MdevStage(world);
    const answer = { of: "" };
    world.task("create", async () => {
      answer.of = await outcomeOf(() => stage.parent.create("full", uuid, { deadline: 10 }), "ETIMEDOUT");
    });
    return Object.assign(stage, { answer });
  },
  before: (stage) => stage.begin(),
  async after(stage, world) {
    const { answer } = stage as MdevStage & { answer: { of: string } };
    const there = stage.mdev.find(uuid) !== undefined;
    world.expect(there === (answer.of === "done"), `create answers ${answer.of}, and the mdev is ${there}`);
    await stage.end();
  },
};

/** The parent's driver registers it in probe and unregisters it in remove, as Linux's do. */
export function parentGoes(how: "its driver is unbound" | "it is removed"): Program<MdevStage> {
  return {
    name: `an mdev is created while its parent goes: ${how}`,
    setup(world) {
      const stage = new MdevStage(world);
      const driver: Driver = {
        name: "gpu",
        bus: adapters as Bus,
        probe: (device) => stage.register(device as Device),
        remove: () => stage.parent.unregister(),
      };
      world.task("create", async () => {
        await stage.create(uuid, "ENODEV", "ENOENT");
      });
      world.task("go", async () => {
        const { device } = stage.parent;
        await (how === "it is removed" ? stage.system.removeDevice(device) : stage.system.detach(device));
      });
      return Object.assign(stage, { driver });
    },
    async before(stage) {
      const { driver } = stage as MdevStage & { driver: Driver };
      await stage.system.registerDriver(driver);
      await stage.begin([], [], "gpu0");
    },
    async after(stage, world) {
      const { driver } = stage as MdevStage & { driver: Driver };
      world.expect(stage.parent.state === "unregistered", "the parent is still registered");
      await stage.end();
      await stage.system.unregisterDriver(driver);
    },
  };
}

export const severalGo: Program<MdevStage> = {
  name: "a parent with two mdevs is unregistered while one of them is removed and a late reference given back",
  setup(world) {
    const stage = new MdevStage(world, 2);
    const held: { mdev: MdevDevice | null } = { mdev: null };
    world.task("unregister", () => stage.parent.unregister());
    world.task("remove", async () => {
      await stage.remove(uuid, "ENODEV", "ENOENT");
    });
    world.task("late holder", async () => held.mdev?.put());
    return Object.assign(stage, { held });
  },
  async before(stage) {
    await stage.begin([uuid, other]);
    const { held } = stage as MdevStage & { held: { mdev: MdevDevice | null } };
    held.mdev = stage.mdev.find(other) ?? null;
    held.mdev?.get();
  },
  after: end,
};
