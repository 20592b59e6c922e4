/** A path goes offline, and the report about it goes to the guest. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function reportAndUnbind(design: Design): Program<Ccw> {
  return {
    name: "path report and unbind",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("path event", () => ccw.chpEvent(() => ccw.crws.append()));
      world.task("unbind", () => ccw.cssRemove());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
    },
  };
}

interface WithRegions {
  readonly ccw: Ccw;
  regions: { readonly crw: number } | null;
}

/** The regions exist between open and close; a report does not care whether they do. */
export function reportAndClose(design: Design): Program<WithRegions> {
  return {
    name: "path report and close",
    setup(world) {
      const ccw = new Ccw(world, design);
      const shared: WithRegions = { ccw, regions: null };
      world.task("path event", () => ccw.chpEvent(() => ccw.crws.append()));
      world.task("guest, then user", async () => {
        const { regions } = shared;
        if (regions === null) return;
        void regions.crw;
        await ccw.crws.take(ccw.lock);
        await ccw.user.close();
        world.free(regions);
      });
      return shared;
    },
    async before(shared, world) {
      const { ccw } = shared;
      await ccw.cssProbe();
      await ccw.mdevProbe();
      await ccw.user.open();
      shared.regions = world.allocate("regions", { crw: 3 });
    },
    after: ({ ccw }) => ccw.cssRemove(),
  };
}
