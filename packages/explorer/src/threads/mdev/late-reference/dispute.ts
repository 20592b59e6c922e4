import { Refcount } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";

interface Shared {
  mdev: Refcount | null;
  parent: Refcount | null;
}

/** The last reference to an mdev is put when the driver of its parent has freed what embeds the parent. */
function lateReference(mdevHolds: "nothing" | "the parent"): Program<Shared> {
  return {
    name: `late reference, the mdev holds ${mdevHolds}`,
    setup(world) {
      const shared: Shared = { mdev: null, parent: null };
      world.task("unregister", async () => {
        shared.mdev?.put();
        await world.point("unregistered");
        shared.parent?.put();
      });
      world.task("late holder", async () => {
        await world.point("still busy with it");
        shared.mdev?.put();
      });
      return shared;
    },
    async before(shared, world) {
      const { runtime } = world;
      const fields = world.allocate("parent", { type: "type 1" });
      const parent = new Refcount(runtime, "parent references", () => world.free(fields));
      const mdev = new Refcount(runtime, "mdev references", () => {
        // Gives uuid and instance back to the type, which is the parent's.
        void fields.type;
        if (mdevHolds === "the parent") parent.put();
      });
      if (mdevHolds === "the parent") parent.get();
      mdev.get();
      shared.parent = parent;
      shared.mdev = mdev;
    },
  };
}

export const lateReferences: Dispute = {
  id: "D7.10",
  thread: "mdev",
  title: "A reference that outlives the parent",
  argued:
    "An mdev's release reaches through its type to the parent. The type's kobject pins the parent's device, and not the " +
    "struct in which the driver keeps it.",
  found:
    "A driver that frees that struct when it has unregistered frees it under a late release. The parent's memory has " +
    "to be held by the mdev's memory, not by its registration.",
  variants: [
    {
      name: "the mdev does not hold the parent's memory (the kernel)",
      program: lateReference("nothing"),
      expected: "unsafe",
      finds: "use-after-free",
    },
    { name: "the mdev holds it", program: lateReference("the parent"), expected: "safe" },
  ],
};
