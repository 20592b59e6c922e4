/** A callback while the css driver is bound to the subchannel, or unbound from it. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function eventAndCssProbe(design: Design): Program<Ccw> {
  return {
    name: "event and css probe",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("event", () => ccw.schEvent());
      world.task("bind", () => ccw.cssProbe());
      return ccw;
    },
    after: (ccw) => ccw.cssRemove(),
  };
}

export function eventAndCssRemove(design: Design): Program<Ccw> {
  return {
    name: "event and css remove",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("event", () => ccw.schEvent());
      world.task("unbind", () => ccw.cssRemove());
      return ccw;
    },
    before: (ccw) => ccw.cssProbe(),
  };
}
