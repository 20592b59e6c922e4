import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { answerOf, type Choices, kernel, MdevParent } from "../parts/mdev-core.js";

function createAndUnregister(choices: Choices): Program<MdevParent> {
  return {
    name: `create and unregister, ${choices.gate}`,
    setup(world) {
      const parent = new MdevParent(world, choices);
      world.task("create", async () => {
        await answerOf(() => parent.createMdev("uuid"), "ENODEV");
      });
      world.task("unregister", () => parent.unregister());
      return parent;
    },
    async after(parent, world) {
      world.expect((await parent.mdevs()).length === 0, "an mdev is left without a parent");
    },
  };
}

export const createWhileUnregistering: Dispute = {
  id: "D7.1",
  thread: "mdev",
  title: "A create while the parent is unregistered",
  argued:
    "create runs inside of a file that unregistering removes, and has to keep unregistering out; with a lock that it may " +
    "have to wait for, each waits for the other.",
  found:
    "So it is: waiting deadlocks. Trying the lock and answering ENODEV ends in every order, and no mdev is left behind.",
  variants: [
    {
      name: "waits for the lock",
      program: createAndUnregister({ ...kernel, gate: "waits for the lock" }),
      expected: "unsafe",
      finds: "deadlock",
    },
    { name: "tries the lock (the kernel)", program: createAndUnregister(kernel), expected: "safe" },
  ],
};
