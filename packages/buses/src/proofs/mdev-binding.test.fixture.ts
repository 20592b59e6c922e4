/** Who is bound to mdevs, in every order: uses that change, drivers that refuse and drivers that go. */
import { Completion, KernelError, noDeadline } from "parhelion-core";
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

/** @param plant nothing matches, so nobody can bind by hand either */
export function useAndRemove(plant?: "nothing matches"): Program<MdevStage> {
  return {
    name: named("D7.7: an mdev changes its use and is removed", plant),
    setup(world) {
      const stage = new MdevStage(world);
      if (plant) stage.mdev.bus.match = () => false;
      world.task("use", async () => {
        if ((await stage.unbind("projected", "ENODEV", "ENOENT")) !== "done") return;
        if ((await stage.bind("local", "ENODEV")) === "done") return;
        const state = stage.mdev.find(uuid)?.life.state ?? "leaving";
        world.expect(state === "leaving", `it can't be bound again, and is ${state}`);
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

/** @param plant the bus does not ask whether it is active */
export function bindAndCreate(plant?: "active or not"): Program<MdevStage> {
  return {
    name: named("D7.7: an mdev is bound to another use while it is being created", plant),
    setup(world) {
      const stage = new MdevStage(world);
      if (plant) stage.mdev.bus.match = ({ uses }, { name }) => uses.includes(name);
      world.task("create", async () => {
        const answer = await stage.create(uuid, "EBUSY");
        world.expect(answer === "done", "somebody else has bound what was being created");
        world.expect(
          stage.mdev.find(uuid)?.use === "projected",
          "it has another use than it was created for",
        );
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
}

/** @param plant what create has announced is not removed again */
export function probeRefuses(plant?: "stays without a driver"): Program<MdevStage> {
  return {
    name: named("D7.11: the driver refuses what create has announced, and somebody looks for drivers", plant),
    setup(world) {
      const stage = new MdevStage(world);
      if (plant) stage.system.removeDevice = () => Promise.resolve();
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
}

/** @param plant the driver's remove waits for a user who never closes, as VFIO's does */
export function driverUnload(plant?: "remove waits"): Program<MdevStage> {
  return {
    name: named("D7.13: a driver is unregistered while create binds it", plant),
    setup(world) {
      const stage = new MdevStage(world);
      if (plant) {
        const closed = new Completion(world.runtime, "closed");
        stage.drivers[0] = stage.watched("projected", {
          remove: () => closed.wait({ deadline: noDeadline }),
        });
      }
      world.task("create", async () => {
        await stage.create(uuid, "ENODEV");
      });
      world.task("rmmod", async () => {
        const [projected] = stage.drivers;
        if (projected !== undefined) await stage.system.unregisterDriver(projected, { deadline: noDeadline });
      });
      return stage;
    },
    before: (stage) => stage.begin(),
    async after(stage, world) {
      world.expect(!stage.mdev.find(uuid)?.bound, "it is bound to a driver that has gone");
      await stage.end();
    },
  };
}
