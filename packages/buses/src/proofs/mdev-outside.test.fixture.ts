/** Mdevs while others act on them who are not the mdev bus: the tree, drivers, clocks, and the parent's own driver. */
import { type Bus, call, type Device, type Driver, noDeadline } from "parhelion-core";
import { outcomeOf, type Program } from "parhelion-explorer";
import type { MdevDevice } from "../index.js";
import { adapters, MdevStage, named, other, uuid } from "./mdev-stage.test.fixture.js";

const end = (stage: MdevStage): Promise<void> => stage.end();

/**
 * Removed by the tree's own means while it is …
 * @param plant the parent counts what it removes itself, and hears of nothing else
 */
export function removedFromOutside(
  meanwhile: "created" | "removed" | "unregistered",
  plant?: "not heard of",
): Program<MdevStage> {
  return {
    name: named(`an mdev is removed by somebody else while it is ${meanwhile}`, plant),
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
        else await stage.parent.unregister({ deadline: noDeadline });
      });
      return stage;
    },
    async before(stage) {
      await stage.begin(meanwhile === "created" ? [] : [uuid]);
      if (plant) hearsOnlyItself(stage);
    },
    after: end,
  };
}

/** Whoever removes with a deadline is not the parent. */
function hearsOnlyItself({ system, parent }: MdevStage): void {
  const told = parent.told.bind(parent);
  const remove = system.removeDevice.bind(system);
  const heard: { from: "parent" | "somebody else" } = { from: "somebody else" };
  parent.told = (event, mdev) => {
    if (heard.from === "parent") told(event, mdev);
  };
  system.removeDevice = (device, options) => {
    if (options !== undefined && device.registered) heard.from = "parent";
    return remove(device, options);
  };
}

/** @param plant the change goes on with the device that it found, to which it has no reference */
export function useAndUnregister(plant?: "no reference"): Program<MdevStage> {
  return {
    name: named("an mdev changes its use while its parent is unregistered", plant),
    setup(world) {
      const stage = new MdevStage(world);
      const { system } = stage;
      world.task("use", async () => {
        const change = async (): Promise<void> => {
          const device = stage.mdev.find(uuid);
          const driver = system.findDriver(stage.bus, "local");
          if (device === undefined || driver === undefined) return;
          await system.detach(device);
          await system.attach(device, driver);
        };
        await outcomeOf(() => (plant ? change() : stage.mdev.setUse(uuid, "local")), "ENODEV");
      });
      world.task("unregister", () => stage.parent.unregister());
      return stage;
    },
    before: (stage) => stage.begin([uuid]),
    after: end,
  };
}

/** @param plant the bus calls the drivers itself, without the device's lock */
export function twoUses(plant?: "calls the drivers itself"): Program<MdevStage> {
  return {
    name: named("two change the use of one mdev", plant),
    setup(world) {
      const stage = new MdevStage(world);
      const setUse = async (use: string | null): Promise<void> => {
        const device = stage.mdev.find(uuid);
        const before = device?.peekDriver();
        if (device === undefined || !before) return;
        await world.point("has seen its driver");
        await before.remove?.(device, undefined);
        if (use !== null) await system.findDriver(stage.bus, use)?.probe(device);
      };
      const { system } = stage;
      const change = (use: string | null) => (plant ? setUse(use) : stage.mdev.setUse(uuid, use));
      world.task("local", async () => {
        await outcomeOf(() => change("local"), "EBUSY");
      });
      world.task("none", async () => {
        await outcomeOf(() => change(null), "ENODEV");
      });
      return stage;
    },
    before: (stage) => stage.begin([uuid]),
    after: end,
  };
}

/**
 * The caller may give up at any step: then nothing is left of what it began.
 * @param plant what the caller does not wait for any more goes on
 */
export function hastyCreate(plant?: "goes on"): Program<MdevStage> {
  return {
    name: named("a create whose deadline may pass at any moment", plant),
    setup(world) {
      const stage = new MdevStage(world);
      const answer = { of: "" };
      const create = () =>
        stage.parent.create("full", uuid, plant ? { deadline: noDeadline } : { deadline: 10 });
      world.task("create", async () => {
        const called = () => (plant ? call(world.runtime, "create", create, { deadline: 10 }) : create());
        answer.of = await outcomeOf(called, "ETIMEDOUT");
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
}

/**
 * The parent's driver registers it in probe and unregisters it in remove, as Linux's do.
 * @param plant its remove begins that, and does not wait
 */
export function parentGoes(
  how: "its driver is unbound" | "it is removed",
  plant?: "does not wait",
): Program<MdevStage> {
  return {
    name: named(`an mdev is created while its parent goes: ${how}`, plant),
    setup(world) {
      const stage = new MdevStage(world);
      const unregister = () => stage.parent.unregister();
      const driver: Driver = {
        name: "gpu",
        bus: adapters as Bus,
        probe: (device) => stage.register(device as Device),
        remove: () => (plant ? world.runtime.scheduler.spawn("unregister", unregister) : unregister()),
      };
      world.task("create", async () => {
        await stage.create(uuid, "ENODEV", "ENOENT");
      });
      world.task("go", async () => {
        const { device } = stage.parent;
        await (how === "it is removed" ? stage.system.removeDevice(device) : stage.system.detach(device));
        world.expect(stage.parent.state === "unregistered", "the parent is still registered");
      });
      return Object.assign(stage, { driver });
    },
    async before(stage) {
      const { driver } = stage as MdevStage & { driver: Driver };
      await stage.system.registerDriver(driver);
      await stage.begin([], [], "gpu0");
    },
    async after(stage) {
      const { driver } = stage as MdevStage & { driver: Driver };
      await stage.end();
      await stage.system.unregisterDriver(driver);
    },
  };
}

/** @param plant the parent's memory goes when it is unregistered */
export function severalGo(plant?: "freed when unregistered"): Program<MdevStage> {
  return {
    name: named(
      "a parent with two mdevs is unregistered while one of them is removed and a late reference given back",
      plant,
    ),
    setup(world) {
      const memory = world.allocate("parent's memory", { ports: 2 });
      const stage: MdevStage = new MdevStage(world, 2, {
        release: () => {
          world.expect(memory.ports === 2, "the parent is another");
          stage.instances.give();
        },
        free: () => {
          if (!plant) world.free(memory);
        },
      });
      const held: { mdev: MdevDevice | null } = { mdev: null };
      world.task("unregister", async () => {
        await stage.parent.unregister();
        if (plant) world.free(memory);
      });
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
}
