import { AttributeSet, isKernelError, KernelError, Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";

type Way = "waits for the lock" | "tries the lock" | "takes the lock unless removed";

interface Shared {
  readonly attributes: AttributeSet;
}

/** The attributes that ship, with a store that wants the lock under which the remover takes them away. */
function store(way: Way): Program<Shared> {
  return {
    name: `a file is written while its device is removed; the store ${way}`,
    setup(world) {
      const lock = new Mutex(world.runtime, "lock of the driver");
      const attributes = new AttributeSet(world.runtime, "device", undefined, {
        attributes: [
          {
            name: "limit",
            async store(_subject, _text, context) {
              if (way === "tries the lock") {
                const guard = lock.tryLock();
                if (guard === null) throw new KernelError("EAGAIN", "busy");
                guard.release();
                return;
              }
              const guard =
                way === "waits for the lock" ? await lock.lock() : await context.lockUnlessRemoved(lock);
              guard.release();
            },
          },
        ],
      });
      attributes.publish();
      world.task("writer", async () => {
        try {
          await attributes.write("limit", "1");
        } catch (error) {
          if (!isKernelError(error, "ENODEV") && !isKernelError(error, "EAGAIN")) throw error;
        }
      });
      world.task("remover", async () => {
        await lock.withLock(() => attributes.remove());
      });
      return { attributes };
    },
  };
}

export const storeAgainstRemoval: Dispute = {
  id: "D8.4",
  thread: "char-devices",
  title: "A file is written while whoever removes it holds the lock it wants",
  argued:
    "Removing a file waits for whoever is in it. Who is in it may wait for a lock, and the remover may hold that lock.",
  found:
    "Waiting for the lock is a deadlock in one order of three steps. Trying it, or taking it unless the removal begins, is " +
    "not; the second also tells a busy device from one that is gone.",
  variants: [
    {
      name: "the store waits for the lock",
      program: store("waits for the lock"),
      expected: "unsafe",
      finds: "deadlock",
    },
    { name: "the store tries the lock (as mdev)", program: store("tries the lock"), expected: "safe" },
    { name: "lockUnlessRemoved", program: store("takes the lock unless removed"), expected: "safe" },
  ],
};
