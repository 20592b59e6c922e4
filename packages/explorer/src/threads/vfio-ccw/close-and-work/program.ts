/** The user closes while the end of the last channel program is being processed. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function closeAndWork(design: Design): Program<Ccw> {
  return {
    name: "close and work",
    setup(world) {
      const ccw = new Ccw(world, design);
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
    async after(ccw, world) {
      await ccw.works.flush();
      const answer = await ccw.user.open();
      world.expect(
        answer === "done",
        `the next open is refused with ${answer}, and the subchannel asks to be removed`,
      );
      await ccw.user.close();
      await ccw.cssRemove();
    },
  };
}
