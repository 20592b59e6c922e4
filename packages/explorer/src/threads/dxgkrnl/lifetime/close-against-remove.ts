/** D3.7: the last close destroys what a process has of an adapter, and so does the removal of the adapter. */
import { Mutex, Refcount } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

type Locks =
  | "each side's own first"
  | "the adapter's only, each destroys"
  | "the adapter's only, who unlinks destroys";

function program(locks: Locks): Program {
  return define({
    name: `close against remove, ${locks}`,
    setup(world) {
      const processLock = new Mutex(world.runtime, "lock of the process");
      const adapterLock = new Mutex(world.runtime, "process_adapter_mutex");
      const info = world.allocate("process_adapter", { devices: 1 });
      // One for the list that links both.
      const refs = new Refcount(world.runtime, "references to process_adapter", () => world.free(info));
      const link = world.track("link", { state: "linked" });
      const destroy = () => {
        if (locks === "the adapter's only, who unlinks destroys") refs.put();
        else world.free(info);
      };
      const both = (first: Mutex, second: Mutex) => async () => {
        await first.withLock(() =>
          second.withLock(() => {
            if (link.state !== "linked") return;
            link.state = "gone";
            refs.put();
          }),
        );
      };
      const one = async () => {
        const found = await adapterLock.withLock(() => {
          const was = link.state;
          if (locks === "the adapter's only, who unlinks destroys") link.state = "gone";
          return was;
        });
        if (found !== "linked") return;
        await world.point("destroy the devices");
        destroy();
        if (locks === "the adapter's only, who unlinks destroys") return;
        await adapterLock.withLock(() => {
          link.state = "gone";
        });
      };
      const inOrder = locks === "each side's own first";
      world.task("last close", inOrder ? both(processLock, adapterLock) : one);
      world.task("removal", inOrder ? both(adapterLock, processLock) : one);
    },
  });
}

export const closeAgainstRemove: Dispute = {
  id: "D3.7",
  thread: "dxgkrnl",
  title: "The last close and the removal both destroy the process's part of the adapter",
  argued: "Both walk to the same object, one from the process, one from the adapter, each with its own lock.",
  found:
    "With the locks taken from each side they wait for each other. With one lock, but destruction outside of " +
    "it, both find the object and both destroy it. It needs one owner: who takes the link down under the lock " +
    "puts the link's reference.",
  variants: [
    {
      name: "each side takes its own lock first",
      program: program("each side's own first"),
      expected: "unsafe",
      finds: "deadlock",
    },
    {
      name: "one lock, each destroys what it found",
      program: program("the adapter's only, each destroys"),
      expected: "unsafe",
      finds: "double-free",
      options: lookPastRaces,
    },
    {
      name: "who unlinks destroys",
      program: program("the adapter's only, who unlinks destroys"),
      expected: "safe",
    },
  ],
};
