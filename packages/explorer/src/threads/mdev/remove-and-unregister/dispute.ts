import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { answerOf, type Choices, kernel, MdevParent } from "../parts/mdev-core.js";

interface Shared {
  readonly parent: MdevParent;
}

function removeAndUnregister(choices: Choices): Program<Shared> {
  return {
    name: `remove and unregister, ${choices.gate}, ${choices.removeFile}`,
    setup(world) {
      const parent = new MdevParent(world, choices);
      world.task("remove", async () => {
        const [mdev] = await parent.mdevs();
        if (mdev !== undefined) await answerOf(() => parent.removeMdev(mdev), "ENODEV");
      });
      world.task("unregister", () => parent.unregister());
      return { parent };
    },
    async before({ parent }) {
      await parent.createMdev("uuid");
    },
    async after({ parent }, world) {
      world.expect((await parent.mdevs()).length === 0, "the mdev is still there");
    },
  };
}

export const removeWhileUnregistering: Dispute = {
  id: "D7.2",
  thread: "mdev",
  title: "A remove while the parent is unregistered",
  argued: "Both want to delete the mdev, and the one runs inside of a file that the other removes.",
  found:
    "Waiting for the lock deadlocks if the file stays until the mdev goes, and deletes twice if the file removes itself. " +
    "Trying the lock, which the kernel does, should leave it to exactly one; but the remover looks at the mdev first, and " +
    "an unregistration that begins and ends between its look and its try leaves the lock free and the mdev freed. Looking " +
    "with the lock held closes that gap.",
  variants: [
    {
      name: "waits for the lock, and its file stays",
      program: removeAndUnregister({
        ...kernel,
        gate: "waits for the lock",
        removeFile: "stays until the mdev goes",
      }),
      expected: "unsafe",
      finds: "deadlock",
    },
    {
      name: "waits for the lock",
      program: removeAndUnregister({ ...kernel, gate: "waits for the lock" }),
      expected: "unsafe",
      finds: "use-after-free",
    },
    {
      name: "looks, then tries the lock (the kernel)",
      program: removeAndUnregister(kernel),
      expected: "unsafe",
      finds: "use-after-free",
    },
    {
      name: "tries the lock, then looks",
      program: removeAndUnregister({ ...kernel, looks: "with the lock" }),
      expected: "safe",
    },
  ],
};
