import { Mutex, WorkQueue } from "parhelion-core";
import type { Atomic, Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { parented, ruled } from "../parts/designs.js";

interface EventFd {
  signalled: number;
}

function dropWhileSignalling(lock: "none" | "the state machine's"): Program<Atomic<EventFd | null>> {
  return {
    name: `drop eventfd while signalling, lock ${lock}`,
    setup(world) {
      const { runtime } = world;
      const events = new Mutex(runtime, "state machine");
      const queue = new WorkQueue(runtime, "vfio-ccw");
      const trigger = world.atomic("io_trigger", null as EventFd | null);
      const alone = (run: () => Promise<void>) => (lock === "none" ? run() : events.withLock(run));
      const signal = async () => {
        const fd = await trigger.load();
        if (fd === null) return;
        await world.point("signal");
        fd.signalled += 1;
      };
      world.task("interrupt", async () => {
        queue.queue({ name: "io_work", run: () => alone(signal) });
      });
      world.task("SET_IRQS -1", () =>
        alone(async () => {
          const fd = await trigger.exchange(null);
          if (fd !== null) world.free(fd);
        }),
      );
      return trigger;
    },
    async before(trigger, world) {
      await trigger.store(world.allocate<EventFd>("eventfd", { signalled: 0 }));
    },
  };
}

export const droppedEventfd: Dispute = {
  id: "H10",
  thread: "vfio-ccw",
  title: "The eventfd is taken away while it is signalled",
  argued:
    "The work item that ends an interrupt signals an eventfd that the user may replace or take away at any time.",
  found:
    "It signals one that was just put. Signalling and replacing need one lock; the state machine's will do.",
  variants: [
    {
      name: parented.name,
      program: dropWhileSignalling("none"),
      expected: "unsafe",
      finds: "use-after-free",
    },
    { name: ruled.name, program: dropWhileSignalling("the state machine's"), expected: "safe" },
  ],
};
