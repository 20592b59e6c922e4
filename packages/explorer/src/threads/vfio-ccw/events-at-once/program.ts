/** Two resets at once: one because the guest asks, one because it unmaps what is pinned. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function eventsAtOnce(design: Design): Program<Ccw> {
  return {
    name: "events at once",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("guest unmaps", () => ccw.reset());
      world.task("guest resets", () => ccw.reset());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
      await ccw.open();
    },
    async after(ccw, world) {
      world.expect(ccw.unregistrations === 0, "two resets at once have the subchannel removed");
      await ccw.close();
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
        await ccw.write();
      });
      world.task("guest unmaps", () => ccw.reset());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
      await ccw.open();
    },
    async after(ccw, world) {
      world.expect(ccw.unregistrations === 0, "a write beside a reset has the subchannel removed");
      await ccw.works.flush();
      await ccw.close();
      await ccw.cssRemove();
    },
  };
}
