import { SpinLock, WorkQueue } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { parented, ruled } from "../parts/designs.js";

/** Where an interrupt puts its status until the work that tells the guest has run. */
type Store = "one slot" | "a queue";

function twoInterrupts(store: Store): Program<{ readonly told: string[] }> {
  return {
    name: `two interrupts, ${store}`,
    setup(world) {
      const { runtime } = world;
      const lock = new SpinLock(runtime, "subchannel lock");
      const queue = new WorkQueue(runtime, "vfio-ccw");
      const fields = world.track("private", { statuses: [] as readonly string[] });
      const told: string[] = [];
      const work = {
        name: "io_work",
        async run() {
          const guard = await lock.lock();
          const { statuses } = fields;
          fields.statuses = [];
          guard.release();
          told.push(...statuses);
        },
      };
      world.interrupt("interrupts", async () => {
        for (const status of ["intermediate", "final"]) {
          const guard = await lock.lock();
          fields.statuses = store === "one slot" ? [status] : [...fields.statuses, status];
          queue.queue(work);
          guard.release();
          await world.point("next interrupt");
        }
      });
      return { told };
    },
    async after({ told }, world) {
      world.expect(
        told.join(" ") === "intermediate final",
        `the guest is told of ${told.join(" and ")} only`,
      );
    },
  };
}

export const oneSlot: Dispute = {
  id: "H9",
  thread: "vfio-ccw",
  title: "Two interrupts before the first was passed on",
  argued: "The interrupt's status is kept in one place until a work item has passed it on to the guest.",
  found:
    "The second overwrites the first, whatever the locks: this is the one hazard on the list that the rule does not " +
    "touch. A queue does.",
  variants: [
    { name: parented.name, program: twoInterrupts("one slot"), expected: "unsafe", finds: "expectation" },
    { name: `${ruled.name}, with a queue of statuses`, program: twoInterrupts("a queue"), expected: "safe" },
  ],
};
