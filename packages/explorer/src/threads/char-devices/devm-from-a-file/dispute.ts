import { Refcount } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";

/** What a driver allocates for its binding is freed when the binding ends, whoever still has a file open. */
function memory(owner: "the binding" | "whoever can reach it"): Program {
  return {
    name: `a file is used while its driver is unbound; its memory belongs to ${owner}`,
    setup(world) {
      const state = world.allocate("driver's state", { uses: 0 });
      const count = new Refcount(world.runtime, "driver's count", () => world.free(state));
      if (owner === "whoever can reach it") count.get();
      world.task("user with an open file", async () => {
        await world.point("request");
        if (owner === "the binding") state.uses += 1;
        else count.put();
      });
      world.task("unbind", async () => {
        await world.point("remove");
        count.put();
      });
    },
  };
}

export const devmFromAFile: Dispute = {
  id: "D8.3",
  thread: "char-devices",
  title: "Managed memory that a file can reach",
  argued: "Managed resources end with the binding; an open file does not.",
  found: "What a file can reach must be counted. Freed with the binding, it is used after it was freed.",
  variants: [
    {
      name: "freed with the binding",
      program: memory("the binding"),
      expected: "unsafe",
      finds: "use-after-free",
      options: { ignore: ["data-race"] },
    },
    { name: "counted", program: memory("whoever can reach it"), expected: "safe" },
  ],
};
