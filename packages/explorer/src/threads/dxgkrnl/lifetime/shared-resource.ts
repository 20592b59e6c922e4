/** D3.16: process Q has opened what process P shares, and P dies. */
import { Mutex, Refcount } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

function program(owner: "the creator's device" | "whoever has it open"): Program {
  return define({
    name: `shared resource owned by ${owner}`,
    setup(world) {
      const lock = new Mutex(world.runtime, "shared resource lock");
      const resource = world.allocate("shared resource", { sealed: "yes", bytes: 4096 });
      const refs = new Refcount(world.runtime, "references to the shared resource", () =>
        world.free(resource),
      );
      const shared = world.track("descriptor", { names: resource as typeof resource | null });
      world.task("process Q maps it", async () => {
        const opened = await lock.withLock(() => {
          const found = shared.names;
          if (found !== null && owner === "whoever has it open") refs.get();
          return found;
        });
        if (opened === null) return;
        await world.point("map");
        world.expect(
          opened.sealed === "yes" && opened.bytes === 4096,
          "the resource has changed under its user",
        );
        if (owner === "whoever has it open") refs.put();
      });
      world.task("process P dies", () =>
        lock.withLock(() => {
          shared.names = null;
          refs.put();
        }),
      );
    },
  });
}

export const sharedResource: Dispute = {
  id: "D3.16",
  thread: "dxgkrnl",
  title: "A shared resource whose creator dies",
  argued:
    "The author: sharing across devices and processes needs global data. The reviewer: use what there is for " +
    "sharing between processes, and hang data off the objects.",
  found:
    "What the creator's device owns goes with it while another process maps it. Counted by whoever has it " +
    "open, it lives as long as it is used, and no list of everything is needed for that.",
  variants: [
    {
      name: "owned by the creator's device",
      program: program("the creator's device"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    {
      name: "as posted: counted by whoever has it open",
      program: program("whoever has it open"),
      expected: "safe",
    },
  ],
};
