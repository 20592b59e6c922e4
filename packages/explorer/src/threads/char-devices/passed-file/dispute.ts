import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";

/** A file is opened by one process, passed to another, and closed by whoever is last. */
function release(finds: "by the process that closes" | "in the file"): Program {
  return {
    name: `a file outlives the process that opened it; release finds its state ${finds}`,
    setup(world) {
      const states = new Map([["opener", world.allocate("opener's state", { handles: 1 })]]);
      const holders = world.atomic("holders of the file", 2);
      const close = async (by: string) => {
        if ((await holders.update((count) => count - 1)) > 1) return;
        const state = states.get(finds === "in the file" ? "opener" : by);
        if (state !== undefined) world.free(state);
      };
      world.task("opener", () => close("opener"));
      world.task("who it was passed to", () => close("other"));
    },
    // Nothing is taken down here: what is there after the last close stays.
    after: () => Promise.resolve(),
  };
}

export const passedFile: Dispute = {
  id: "D8.6",
  thread: "char-devices",
  title: "A file that is closed by another process than the one that opened it",
  argued:
    "Files are passed on and inherited, so the last close may come from a process that never opened anything.",
  found:
    "A release that looks its state up by the current process leaks it in one of two orders. Kept in the file, it does not.",
  variants: [
    {
      name: "looked up by process",
      program: release("by the process that closes"),
      expected: "unsafe",
      finds: "leak",
    },
    { name: "kept in the file", program: release("in the file"), expected: "safe" },
  ],
};
