import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { answerOf, type Choices, kernel, MdevParent } from "../parts/mdev-core.js";

/** A service that reacts to the announcement of an mdev by removing it, and tries once more when that is refused. */
function earlyRemove(choices: Choices): Program<MdevParent> {
  return {
    name: `early remove, ${choices.removeFile}, ${choices.removeFileComes}`,
    setup(world) {
      const parent = new MdevParent(world, choices);
      world.task("create", async () => {
        await parent.createMdev("uuid");
      });
      world.task("service", async () => {
        const [mdev] = await parent.mdevs();
        if (mdev !== undefined) await answerOf(() => parent.removeMdev(mdev), "EAGAIN", "ENODEV");
      });
      return parent;
    },
    async after(parent, world) {
      const [mdev] = await parent.mdevs();
      if (mdev === undefined) return;
      world.expect(
        mdev.remove.there,
        "the mdev is there, and its remove file is not: it can't be removed any more",
      );
      await parent.removeMdev(mdev);
    },
  };
}

export const tooEarly: Dispute = {
  id: "D7.4",
  thread: "mdev",
  title: "A remove before create is over",
  argued:
    "The remove file is there from the moment the device is announced. A write that comes before create is over is to be " +
    "refused with EAGAIN, and tried again.",
  found:
    "It can't be: the file has removed itself before it looked, so the mdev stays for as long as its parent. Looking first " +
    "cures it, and so does making the file last.",
  variants: [
    {
      name: "removes itself, then looks (the kernel)",
      program: earlyRemove(kernel),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "looks, then removes itself",
      program: earlyRemove({ ...kernel, removeFile: "looks, then removes itself" }),
      expected: "safe",
    },
    {
      name: "the file comes last",
      program: earlyRemove({ ...kernel, removeFileComes: "last" }),
      expected: "safe",
    },
  ],
};
