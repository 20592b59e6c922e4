/** Something is reported about a subchannel, and the driver's event handler is not ready to look. */
import { noDeadline, SpinLock, WaitQueue, WorkQueue } from "parhelion-core";
import type { Program } from "../../../program.js";

/** What the handler answers when it does not look; after EAGAIN it is asked again. */
export type NotNow = "EAGAIN" | "0";

interface Seen {
  readonly noticed: { yes: boolean };
}

/** A work item for this subchannel is queued already: it will evaluate the subchannel. */
export function todoPending(answer: NotNow): Program<Seen> {
  return {
    name: `todo pending, answer ${answer}`,
    setup(world) {
      const { runtime } = world;
      const lock = new SpinLock(runtime, "subchannel lock");
      const queue = new WorkQueue(runtime, "cio");
      const subchannel = world.track("subchannel", { todo: "nothing" as "nothing" | "evaluate" });
      const device = world.atomic("device", "there" as "there" | "gone");
      const noticed = { yes: false };
      const look = async (): Promise<void> => {
        if ((await device.load()) === "gone") noticed.yes = true;
      };
      const todoWork = {
        name: "todo",
        async run() {
          const guard = await lock.lock();
          subchannel.todo = "nothing";
          guard.release();
          await look();
        },
      };
      const evaluation = {
        name: "evaluation",
        async run() {
          const guard = await lock.lock();
          const { todo } = subchannel;
          if (todo === "nothing") await look();
          guard.release();
          if (todo !== "nothing" && answer === "EAGAIN") queue.queue(evaluation);
        },
      };
      world.task("path event", async () => {
        const guard = await lock.lock();
        subchannel.todo = "evaluate";
        queue.queue(todoWork);
        guard.release();
      });
      world.task("machine check", async () => {
        await device.store("gone");
        queue.queue(evaluation);
        await queue.flush();
      });
      return { noticed };
    },
    async after({ noticed }, world) {
      world.expect(noticed.yes, "the device is gone, and nobody has noticed");
    },
  };
}

/** The subchannel is being removed; what is reported is the device that comes in its place. */
export function notRegistered(answer: NotNow): Program<Seen> {
  return {
    name: `not registered, answer ${answer}`,
    setup(world) {
      const { runtime } = world;
      const lock = new SpinLock(runtime, "subchannel lock");
      const moved = new WaitQueue(runtime, "the old subchannel's removal");
      // "leaving": removed from the tree, and still to be found.
      const old = world.atomic("old subchannel", "registered" as "registered" | "leaving" | "gone");
      const noticed = { yes: false };
      world.task("removal", async () => {
        await old.store("leaving");
        await old.store("gone");
        moved.wake();
      });
      world.task("machine check", async () => {
        for (;;) {
          if ((await old.load()) === "gone") {
            noticed.yes = true;
            return;
          }
          const guard = await lock.lock();
          const state = await old.load();
          guard.release();
          // Registered: the driver looks, finds the other device and has the old subchannel replaced.
          if (state === "registered") noticed.yes = true;
          if (state === "registered" || answer === "0") return;
          // Asked again later; that "later" comes is what a queue with a delay gives.
          await moved.wait(
            () => {
              world.reads(old);
              return old.peek() === "gone";
            },
            { deadline: noDeadline },
          );
        }
      });
      return { noticed };
    },
    async after({ noticed }, world) {
      world.expect(noticed.yes, "a new device is there, and nobody has noticed");
    },
  };
}
