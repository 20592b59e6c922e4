/** D1.5: the host of one function takes its time while somebody wants the other function. */
import { Completion, Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Channel } from "../parts/channel.js";
import { define } from "../parts/define.js";

function program(locks: "one for all" | "one per device"): Program {
  return define({
    name: `removal of F1 with locks ${locks}`,
    setup(world) {
      const f1 = new Channel(world, "channel 1");
      const f2 = new Channel(world, "channel 2");
      const mutex1 = new Mutex(world.runtime, "device_mutex");
      const mutex2 = locks === "one for all" ? mutex1 : new Mutex(world.runtime, "device_mutex of F2");
      const opened = new Completion(world.runtime, "F2 is open");
      world.task("remove F1", () => mutex1.withLock(() => f1.request("close adapter")));
      world.task("open F2", async () => {
        await mutex2.withLock(() => f2.request("open adapter"));
        opened.completeAll();
      });
      world.task("host of F2", () => f2.serve());
      world.task("host of F1, slower than anything F2 does", async () => {
        await opened.wait();
        await f1.serve();
      });
    },
  });
}

export const removeStallsOther: Dispute = {
  id: "D1.5",
  thread: "dxgkrnl",
  title: "Removing one function stalls the other",
  argued:
    "Removal waits for its host's answer with the driver-wide lock held. The author took one lock for granted, " +
    "with one list of adapters to guard; the reviewer wanted neither list nor lock.",
  found:
    "F2 can't be opened until F1's host has answered: with a host that answers later than that, both wait for " +
    "ever. With a lock per device F2 never waits for F1's host, in any order.",
  variants: [
    { name: "as posted: one lock", program: program("one for all"), expected: "unsafe", finds: "deadlock" },
    { name: "per device: a lock each", program: program("one per device"), expected: "safe" },
  ],
};
