/** Who is bound to mdevs, in every order: uses that change, drivers that refuse and drivers that go. */
import { KernelError } from "parhelion-core";
import type { Program } from "parhelion-explorer";
import { MdevStage, named, uuid } from "./mdev-stage.test.fixture.js";

const end = (stage: MdevStage): Promise<void> => stage.end();

/** @param plant the bus looks for drivers, as a bus does that is not bound by hand */
export function unbound(plant?: "the bus looks for drivers"): Program<MdevStage> {
  return {
    name: named("D7.7: an unbound mdev is looked at, and removed", plant),
    setup(world) {
      const stage = new MdevStage(world);
      if (plant) Object.assign(stage.mdev.bus, { binding: "by search" });
      world.task("unbind", async () => {
        if ((await stage.unbind("projected", "ENODEV", "ENOENT")) !== "done") return;
        const device = stage.mdev.find(uuid);
        if (device === undefined) return;
        device.get();
        await stage.system.probeDevice(device);
        world.expect(device.use === null, "it is bound again, and nobody has done so");
        device.put();
      });
      world.task("remove", async () => {
        await stage.remove(uuid);
      });
      return stage;
    },
    before: (stage) => stage.begin([uuid]),
    after: end,
  };
}

export const useAndRemove: Program<MdevStage> = {
  name: "D7.7: an mdev changes its use and is removed",
  setup(world) {
    const stage = new MdevStage(world);
    world.task("use", async () => {
      const unbinding = await stage.unbind("projected", "ENODEV", "ENOENT");
      if (unbinding === "done") await stage.bind("local", "ENODEV");
    });
    world.task("remove", async () => {
      await stage.remove(uuid);
    });
    return stage;
  },
  before: (stage) => stage.begin([uuid]),
  after: end,
};

export const bindAndCreate: Program<MdevStage> = {
  name: "D7.7: an mdev is bound to another use while it is being created",
  setup(world) {
    const stage = new MdevStage(world);
    world.task("create", async () => {
      await stage.create(uuid);
      world.expect(stage.mdev.find(uuid)?.use === "projected", "it has another use than it was created for");
    });
    world.task("bind", async () => {
      const answer = await stage.bind("local", "ENODEV", "EAGAIN", "EBUSY");
      world.expect(answer !== "done", "it was bound by somebody else before it was active");
    });
    return stage;
  },
  before: (stage) => stage.begin(),
  after: end,
};

export const probeRefuses: Program<MdevStage> = {
  name: "D7.11: the driver refuses what create has announced, and somebody looks for drivers",
  setup(world) {
    const stage = new MdevStage(world);
    stage.drivers[0] = stage.watched("projected", {
      probe: () => {
        throw new KernelError("ENOSPC", "no more ports");
      },
    });
    world.task("create", async () => {
      const answer = await stage.create(uuid, "ENOSPC");
      world.expect(answer === "ENOSPC", `create answers ${answer}`);
    });
    world.task("udev", async () => {
      const device = stage.mdev.find(uuid);
      if (device !== undefined) await stage.system.probeDevice(device);
    });
    return stage;
  },
  before: (stage) => stage.begin(),
  async after(stage, world) {
    world.expect(stage.events.join(" ") === "add remove", `announced: ${stage.events.join(" ")}`);
    await stage.end();
  },
};

export const driverUnload: Program<MdevStage> = {
  name: "D7.13: a driver is unregistered while create binds it",
  setup(world) {
    const stage = new MdevStage(world);
    world.task("create", async () => {
      await stage.create(uuid, "ENODEV");
    });
    world.task("rmmod", async () => {
      const [projected] = stage.drivers;
      if (projected !== undefined) await stage.system.unregisterDriver(projected);
    });
    return stage;
  },
  before: (stage) => stage.begin(),
  async after(stage, world) {
    world.expect(!stage.mdev.find(uuid)?.bound, "it is bound to a driver that has gone");
    await stage.end();
  },
};
