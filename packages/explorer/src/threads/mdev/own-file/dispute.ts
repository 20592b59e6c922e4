import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { MdevParent } from "../parts/mdev-core.js";

function removeOwn(order: "removes, then closes" | "closes, then removes"): Program<MdevParent> {
  return {
    name: `owner ${order}`,
    setup(world) {
      const parent = new MdevParent(world);
      world.task("owner", async () => {
        const [mdev] = await parent.mdevs();
        if (mdev?.vfio.tryUse() !== true) return;
        if (order === "closes, then removes") mdev.vfio.unuse();
        await parent.removeMdev(mdev);
        if (order === "removes, then closes") mdev.vfio.unuse();
      });
      return parent;
    },
    async before(parent) {
      await parent.createMdev("uuid");
    },
  };
}

export const ownFile: Dispute = {
  id: "D7.6",
  thread: "mdev",
  title: "Whoever removes has it open itself",
  argued: "A program that has the device open writes to its remove file.",
  found: "It waits for itself; there is nothing to race with, and no order that ends. It has to close first.",
  variants: [
    {
      name: "removes, then closes",
      program: removeOwn("removes, then closes"),
      expected: "unsafe",
      finds: "deadlock",
    },
    { name: "closes, then removes", program: removeOwn("closes, then removes"), expected: "safe" },
  ],
};
