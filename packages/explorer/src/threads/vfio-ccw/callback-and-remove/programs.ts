/** A callback of the channel subsystem comes while the mdev is being removed. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

/** No work is queued here: what becomes of it is a question of its own. */
async function openWithoutWork(ccw: Ccw): Promise<void> {
  await ccw.cssProbe();
  await ccw.mdevProbe();
  if (ccw.context !== null) ccw.context.ioWork = null;
  await ccw.user.open();
  await ccw.user.write();
}

async function takeDown(ccw: Ccw): Promise<void> {
  await ccw.user.close();
  await ccw.mdevRemove();
}

export function interruptAndRemove(design: Design): Program<Ccw> {
  return {
    name: "interrupt and remove",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.interrupt("interrupt", () => ccw.interrupt());
      world.task("user, then administrator", () => takeDown(ccw));
      return ccw;
    },
    async before(ccw) {
      await openWithoutWork(ccw);
      ccw.hardware.finish();
    },
    after: (ccw) => ccw.cssRemove(),
  };
}

/** The device does not answer a clear, so the subchannel stays enabled and busy after close. */
export function lateInterruptAndRemove(design: Design): Program<Ccw> {
  return {
    name: "late interrupt and remove",
    setup(world) {
      const ccw = new Ccw(world, design, { clears: "never" });
      world.interrupt("interrupt", async () => {
        ccw.hardware.finish();
        await ccw.interrupt();
      });
      world.task("user, then administrator", () => takeDown(ccw));
      return ccw;
    },
    before: openWithoutWork,
    after: (ccw) => ccw.cssRemove(),
  };
}

export function pathEventAndRemove(design: Design): Program<Ccw> {
  return {
    name: "path event and remove",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("path event", () => ccw.chpEvent());
      world.task("administrator", () => ccw.mdevRemove());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
    },
    after: (ccw) => ccw.cssRemove(),
  };
}
