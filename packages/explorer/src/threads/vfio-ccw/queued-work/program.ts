/** The interrupt leaves work, and everything is taken down before the work runs. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function queuedWork(design: Design): Program<Ccw> {
  return {
    name: "queued work and release",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.interrupt("interrupt", () => ccw.interrupt());
      world.task("user, then administrator", async () => {
        await ccw.user.close();
        await ccw.mdevRemove();
      });
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
