import { Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Ccw } from "../parts/ccw.js";
import { type Design, parented, ruled } from "../parts/designs.js";
import { safe, unsafe } from "../variants.js";

/** The device is gone while a channel program runs; the guest's pages are given back under the lock of its memory. */
function goneWhileRunning(design: Design): Program<Ccw> {
  return {
    name: "gone while running",
    setup(world) {
      const memory = new Mutex(world.runtime, "guest memory");
      const ccw = new Ccw(world, design, { unpin: () => memory.withLock(() => {}) });
      world.task("machine check", () => ccw.schEvent());
      return ccw;
    },
    async before(ccw) {
      await ccw.cssProbe();
      await ccw.mdevProbe();
      await ccw.user.open();
      await ccw.user.write();
      ccw.hardware.vanish();
    },
    async after(ccw) {
      await ccw.works.flush();
      await ccw.user.close();
      await ccw.cssRemove();
    },
  };
}

export const unpinning: Dispute = {
  id: "H7",
  thread: "vfio-ccw",
  title: "Giving pages back under a spinning lock",
  argued:
    "The event handler looks at the subchannel under its lock, and when the device is gone the state machine ends the " +
    "channel program there and then.",
  found:
    "Which sleeps under a spinning lock, in any order of events. The handler has to leave it to a work item that the state " +
    "machine's own lock serialises.",
  variants: [...unsafe(goneWhileRunning, "sleep-in-atomic", parented), ...safe(goneWhileRunning, ruled)],
};
