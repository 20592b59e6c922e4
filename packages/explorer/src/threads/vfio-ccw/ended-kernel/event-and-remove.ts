/** The device is found gone while its mdev is being removed anyway. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function eventAndRemove(design: Design): Program<Ccw> {
  return {
    name: "event and remove",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("machine check", () => ccw.schEvent());
      world.task("administrator", () => ccw.mdevRemove());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
      ccw.hardware.vanish();
    },
    after: (ccw) => ccw.cssRemove(),
  };
}
