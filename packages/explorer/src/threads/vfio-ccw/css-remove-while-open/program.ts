/** The subchannel goes while its user is at work. */
import type { Program } from "../../../program.js";
import { Ccw } from "../parts/ccw.js";
import type { Design } from "../parts/designs.js";

export function cssRemoveWhileOpen(design: Design): Program<Ccw> {
  return {
    name: "css remove while open",
    setup(world) {
      const ccw = new Ccw(world, design);
      world.task("hotplug", () => ccw.cssRemove());
      world.task("user", async () => {
        await ccw.user.reset();
        const { settled } = ccw;
        const answer = await ccw.user.write();
        world.expect(
          answer !== "done" || settled === "no",
          "a channel program is started on a subchannel that was quiesced for its removal",
        );
        await ccw.user.close();
      });
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
      await ccw.user.open();
    },
  };
}
