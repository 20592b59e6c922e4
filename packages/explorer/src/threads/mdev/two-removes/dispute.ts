import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { answerOf, type Choices, kernel, MdevParent } from "../parts/mdev-core.js";

function twoRemoves(choices: Choices): Program<MdevParent> {
  return {
    name: `two removes, ${choices.removeFile}`,
    setup(world) {
      const parent = new MdevParent(world, choices);
      const removed = world.atomic("removed", 0);
      for (const name of ["remove 1", "remove 2"]) {
        world.task(name, async () => {
          const [mdev] = await parent.mdevs();
          if (mdev === undefined) return;
          await answerOf(async () => {
            if ((await parent.removeMdev(mdev)) === "nothing") return;
            const before = await removed.update((count) => count + 1);
            world.expect(before === 0, "two say that they have removed it");
          }, "ENODEV");
        });
      }
      return parent;
    },
    async before(parent) {
      await parent.createMdev("uuid");
    },
    async after(parent, world) {
      world.expect((await parent.mdevs()).length === 0, "the mdev is still there");
    },
  };
}

export const twoRemovesAtOnce: Dispute = {
  id: "D7.3",
  thread: "mdev",
  title: "Two removes at once",
  argued:
    "The file through which a device is removed goes with the device, and whoever writes to it is inside of it.",
  found:
    "A file that removes itself has exactly one winner, and who loses has nothing left to do. One that stays until the device " +
    "goes waits for its own writer: a single remove deadlocks.",
  variants: [
    {
      name: "the file stays until the mdev goes",
      program: twoRemoves({ ...kernel, removeFile: "stays until the mdev goes" }),
      expected: "unsafe",
      finds: "deadlock",
    },
    { name: "the file removes itself (the kernel)", program: twoRemoves(kernel), expected: "safe" },
  ],
};
