/** A path event while the mdev's probe finds out that it fails. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function failedProbe(design: Design): Program<Ccw> {
  return {
    name: "failed mdev probe",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("path event", () => ccw.chpEvent());
      world.task("administrator", () => ccw.mdevProbe("fails"));
      return ccw;
    },
    before: (ccw) => ccw.cssProbe(),
    after: (ccw) => ccw.cssRemove(),
  };
}
