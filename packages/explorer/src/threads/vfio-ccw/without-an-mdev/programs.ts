/** What the channel subsystem's callbacks meet while there is no mdev. */
import { SpinLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { State } from "../parts/context.js";
import type { Design } from "../parts/designs.js";

/** Claims that a callback comes only while there is an mdev. */
export function onlyWithAnMdev(design: Design): Program<Ccw> {
  return {
    name: "callbacks only with an mdev",
    setup(world) {
      const ccw = new Ccw(world, design);
      const mdev = world.window("the time with an mdev");
      world.task("administrator", async () => {
        await ccw.mdevProbe();
        mdev.open();
        await world.point("the mdev is there");
        mdev.close();
        await ccw.mdevRemove();
      });
      world.task("machine check", () => mdev.during("sch_event", () => ccw.schEvent()));
      return ccw;
    },
    before: (ccw) => ccw.cssProbe(),
    after: (ccw) => ccw.cssRemove(),
  };
}

/**
 * The callback of 2021 sets the state back when a device that was gone is there again, to what it should be with or
 * without an mdev; the creation sets it too, and only one of them holds the subchannel's lock.
 */
export const stateOfTwoMasters: Program<{ readonly state: State; readonly mdev: string | null }> = {
  name: "state set by event and create",
  setup(world) {
    const { runtime } = world;
    const lock = new SpinLock(runtime, "subchannel lock");
    const fields = world.track("private", { state: "standby" as State, mdev: null as string | null });
    world.task("gone and back", async () => {
      await lock.withLock(() => {
        fields.state = "not operational";
      });
      await lock.withLock(async () => {
        if (fields.state !== "not operational") return;
        const state = fields.mdev === null ? "standby" : "idle";
        await world.point("set the state back");
        fields.state = state;
      });
    });
    world.task("administrator", async () => {
      if (fields.state === "not operational") return;
      await world.point("create");
      fields.mdev = "mdev";
      fields.state = "idle";
    });
    return fields;
  },
  async after({ state, mdev }, world) {
    world.expect(mdev === null || state === "idle", `there is an mdev, and the state is ${state}`);
  },
};

/** Callbacks all along the life of an mdev. */
export function eventsAllAlong(design: Design): Program<Ccw> {
  return {
    name: "events all along",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("administrator", async () => {
        await ccw.mdevProbe();
        await ccw.mdevRemove();
      });
      world.task("machine check", () => ccw.schEvent());
      world.task("path event", () => ccw.chpEvent());
      return ccw;
    },
    before: (ccw) => ccw.cssProbe(),
    after: (ccw) => ccw.cssRemove(),
  };
}
