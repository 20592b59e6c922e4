import { KernelError, Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { answerOf } from "../parts/mdev-core.js";

/** Two parents are told to create an mdev with one uuid. */
function sameUuid(lock: "of the parent" | "of the list"): Program {
  return {
    name: `same uuid, lock ${lock}`,
    setup(world) {
      const list = world.track("mdev list", { uuids: [] as readonly string[] });
      const shared = new Mutex(world.runtime, "mdev list lock");
      const created = world.atomic("created", 0);
      for (const parent of ["parent 1", "parent 2"]) {
        const mutex = lock === "of the list" ? shared : new Mutex(world.runtime, `${parent} lock`);
        const reserve = () =>
          mutex.withLock(async () => {
            if (list.uuids.includes("uuid")) throw new KernelError("EEXIST", "there is an mdev uuid");
            await world.point("add to the list");
            list.uuids = [...list.uuids, "uuid"];
          });
        world.task(`create on ${parent}`, async () => {
          if ((await answerOf(reserve, "EEXIST")) !== "done") return;
          const before = await created.update((count) => count + 1);
          world.expect(before === 0, "two mdevs have one uuid");
        });
      }
    },
  };
}

export const oneUuidTwice: Dispute = {
  id: "D7.8",
  thread: "mdev",
  title: "One uuid on two parents",
  argued: "A uuid names one mdev in the whole system; two parents share nothing but the list of all mdevs.",
  found:
    "Looking and adding under each parent's own lock creates both. Under the lock of the list one gets EEXIST.",
  variants: [
    {
      name: "under the parent's lock",
      program: sameUuid("of the parent"),
      expected: "unsafe",
      finds: "expectation",
      options: { ignore: ["data-race"] },
    },
    { name: "under the lock of the list (the kernel)", program: sameUuid("of the list"), expected: "safe" },
  ],
};
