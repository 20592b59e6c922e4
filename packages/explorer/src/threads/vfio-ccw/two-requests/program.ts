/** Two ask the channel subsystem to do something about one subchannel, which remembers the larger request. */
import { SpinLock, WorkQueue } from "parhelion-core";
import type { Program } from "../../../program.js";

/** Ascending: a larger one overrides. */
const nothing = 0;
const evaluate = 1;
const unregister = 2;

/** @param lockOfClose whether close, when it fails, asks with the subchannel's lock held as the path event does */
export function twoRequests(
  lockOfClose: "held" | "not held",
): Program<{ readonly done: { unregistered: "yes" | "no" } }> {
  return {
    name: `two requests, lock of close ${lockOfClose}`,
    setup(world) {
      const { runtime } = world;
      const lock = new SpinLock(runtime, "subchannel lock");
      const queue = new WorkQueue(runtime, "cio");
      const subchannel = world.track("subchannel", { todo: nothing });
      const done: { unregistered: "yes" | "no" } = { unregistered: "no" };
      const work = {
        name: "todo",
        async run() {
          const guard = await lock.lock();
          const { todo } = subchannel;
          subchannel.todo = nothing;
          guard.release();
          if (todo === unregister) done.unregistered = "yes";
        },
      };
      const request = async (asked: number): Promise<void> => {
        if (subchannel.todo >= asked) return;
        await world.point("remember the request");
        subchannel.todo = asked;
        queue.queue(work);
      };
      world.task("path event", () => lock.withLock(() => request(evaluate)));
      world.task("close that fails", () =>
        lockOfClose === "held" ? lock.withLock(() => request(unregister)) : request(unregister),
      );
      return { done };
    },
    async after({ done }, world) {
      world.expect(done.unregistered === "yes", "the request to unregister is lost: the dead device stays");
    },
  };
}
