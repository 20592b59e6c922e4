/** Two resets at once: one because the guest asks, one because it unmaps what is pinned. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function eventsAtOnce(design: Design): Program<Ccw> {
  return {
    name: "events at once",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("guest unmaps", () => ccw.user.reset());
      world.task("guest resets", () => ccw.user.reset());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
      await ccw.user.open();
    },
    async after(ccw, world) {
      world.expect(ccw.unregistrations === 0, "two resets at once have the subchannel removed");
      await ccw.user.close();
      await ccw.cssRemove();
    },
  };
}

/** The guest starts a channel program while memory is unmapped. */
export function writeAndReset(design: Design): Program<Ccw> {
  return {
    name: "write and reset",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("guest writes", async () => {
        await ccw.user.write();
      });
      world.task("guest unmaps", () => ccw.user.reset());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
      await ccw.user.open();
    },
    async after(ccw, world) {
      world.expect(ccw.unregistrations === 0, "a write beside a reset has the subchannel removed");
      await ccw.works.flush();
      await ccw.user.close();
      await ccw.cssRemove();
    },
  };
}
