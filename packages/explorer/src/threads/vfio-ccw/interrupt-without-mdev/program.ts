/** The device has something to say before anybody has created an mdev. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function interruptWithoutMdev(design: Design): Program<Ccw> {
  return {
    name: "interrupt without mdev",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.interrupt("interrupt", () => ccw.interrupt());
      world.task("administrator", () => ccw.mdevProbe());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      ccw.hardware.raise();
    },
    async after(ccw, world) {
      world.expect((await ccw.user.open()) === "done", "the mdev can't be opened");
      const answer = await ccw.user.write();
      world.expect(answer === "done", `the only user's only channel program is refused with ${answer}`);
      await ccw.user.close();
      await ccw.cssRemove();
    },
  };
}
