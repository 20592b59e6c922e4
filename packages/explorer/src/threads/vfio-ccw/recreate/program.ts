/** The mdev is removed and created again while somebody still holds a reference to its vfio device. */
import type { Program } from "../../../program.js";
import type { VfioDevice } from "../../../threads/mdev/parts/vfio-device.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

interface Shared {
  readonly ccw: Ccw;
  /** Where the holder's pointer points to. */
  pointer: () => VfioDevice;
}

export function recreate(design: Design): Program<Shared> {
  return {
    name: "recreate",
    setup(world) {
      const ccw = new Ccw(world, design);
      const shared: Shared = {
        ccw,
        pointer: () => {
          throw new Error("the mdev is created in before");
        },
      };
      world.task("administrator", async () => {
        await ccw.mdevRemove();
        await ccw.mdevProbe();
      });
      world.task("late holder", async () => {
        await world.point("still busy with it");
        shared.pointer().put();
      });
      return shared;
    },
    async before(shared) {
      const { ccw } = shared;
      await ccw.cssProbe();
      await ccw.mdevProbe();
      const { vfio, context } = ccw;
      if (vfio === null || context === null) throw new Error("there is no mdev");
      vfio.get();
      // Embedded, the address stays and what stands there is another device.
      shared.pointer = design.contextOf === "subchannel" ? () => context.vfio as VfioDevice : () => vfio;
    },
    async after({ ccw }, world) {
      world.expect((await ccw.user.open()) === "done", "the new mdev can't be opened");
      await ccw.user.close();
      await ccw.cssRemove();
    },
  };
}
