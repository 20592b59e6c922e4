import { KernelError, Mutex } from "parhelion-core";
import type { Pool, Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { answerOf } from "../parts/mdev-core.js";

/** The first create finds no memory; the second wants the one instance there is. */
function noMemory(then: "keeps the instance" | "gives it back"): Program<Pool> {
  return {
    name: `no memory, ${then}`,
    setup(world) {
      const list = new Mutex(world.runtime, "mdev list");
      const instances = world.pool("instances", 1);
      const create = (memory: "none" | "enough") =>
        list.withLock(() => {
          if (!instances.take()) throw new KernelError("EUSERS", "the parent is full");
          if (memory === "enough") return;
          if (then === "gives it back") instances.give();
          throw new KernelError("ENOMEM", "no memory for an mdev");
        });
      world.task("create without memory", async () => {
        await answerOf(() => create("none"), "ENOMEM", "EUSERS");
      });
      world.task("create", async () => {
        const answer = await answerOf(() => create("enough"), "EUSERS");
        world.expect(answer === "done", "an empty parent says that it is full");
        instances.give();
      });
      return instances;
    },
  };
}

export const counterKept: Dispute = {
  id: "D7.9",
  thread: "mdev",
  title: "No memory after the count was taken",
  argued: "create takes from the count of instances first and allocates then; when that fails it returns.",
  found: "The instance is never given back: a parent without mdevs is full until it is registered again.",
  variants: [
    {
      name: "keeps the instance (the kernel)",
      program: noMemory("keeps the instance"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "gives it back", program: noMemory("gives it back"), expected: "safe" },
  ],
};
