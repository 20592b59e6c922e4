import { SpinLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { CrwList } from "../parts/crw-list.js";
import { parented, ruled } from "../parts/designs.js";

/** Two threads of the guest's monitor read the region of path reports while another report comes. */
function twoReaders(readers: "lock" | "don't lock"): Program<CrwList> {
  return {
    name: `two readers that ${readers}`,
    setup(world) {
      const lock = new SpinLock(world.runtime, "subchannel lock");
      const crws = new CrwList(world);
      for (const name of ["reader 1", "reader 2"]) {
        world.task(name, async () => {
          await crws.take(readers === "lock" ? lock : null);
        });
      }
      world.task("path event", () => lock.withLock(() => crws.append()));
      return crws;
    },
    async before(crws) {
      crws.append();
    },
    async after(crws) {
      crws.freeAll();
    },
  };
}

export const twoReadersAtOnce: Dispute = {
  id: "H8",
  thread: "vfio-ccw",
  title: "Two readers of the path reports",
  argued:
    "A callback appends to the list of path reports under the subchannel's lock; a read takes the first without a lock.",
  found: "Two reads take the same one and free it twice.",
  variants: [
    {
      name: parented.name,
      program: twoReaders("don't lock"),
      expected: "unsafe",
      finds: "double-free",
      options: { ignore: ["data-race"] },
    },
    {
      name: `${parented.name}; the list as memory`,
      program: twoReaders("don't lock"),
      expected: "unsafe",
      finds: "data-race",
    },
    { name: `${ruled.name}, for the list as well`, program: twoReaders("lock"), expected: "safe" },
  ],
};
