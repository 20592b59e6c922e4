/** The device is gone and is to be removed; a file is open. */
import { noDeadline } from "parhelion-core";
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

/** The device is gone, and the channel subsystem's queue removes the subchannel: that queue serves all subchannels. */
export function userWho(does: "stays" | "closes when asked"): (design: Design) => Program<Ccw> {
  return (design) => ({
    name: `user who ${does}`,
    setup(world) {
      const ccw: Ccw = new Ccw(world, design, { onUnregister: () => ccw.cssRemove() });
      world.task("machine check", async () => {
        await ccw.schEvent();
        await ccw.works.flush();
        // The next subchannel's evaluation comes after this one's.
        await ccw.slowPath.flush({ deadline: noDeadline });
      });
      // One who stays is a task that has ended: nothing says that a user ever closes.
      world.task("user", async () => {
        if (does === "stays") return;
        await ccw.user.file.vfio.request.wait({ deadline: noDeadline });
        await ccw.user.close();
      });
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
      await ccw.user.open();
      ccw.hardware.vanish();
    },
    async after(ccw) {
      if (does === "stays") await ccw.user.close();
    },
  });
}
