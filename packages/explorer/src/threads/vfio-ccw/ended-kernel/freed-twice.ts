/** close and the work after the interrupt both free the channel program, and the test whether there is one is a step of its own. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function freedTwice(design: Design): Program<Ccw> {
  return {
    name: "channel program freed twice",
    setup(world) {
      const ccw = new Ccw(world, design, { unpin: () => world.point("free the channel program") });
      world.task("user", () => ccw.user.close());
      world.interrupt("interrupt", () => ccw.interrupt());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
      await ccw.user.open();
      await ccw.user.write();
      ccw.hardware.finish();
    },
    async after(ccw) {
      await ccw.works.flush();
      await ccw.cssRemove();
    },
  };
}
