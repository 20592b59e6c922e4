/** D3.4: a completion comes in while the channel is being destroyed. */
import { Completion, isKernelError, KernelError, SpinLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

function program(order: "cache, then callbacks" | "callbacks, then cache"): Program {
  return define({
    name: `destroy: ${order}`,
    setup(world) {
      // Held while the callback runs: who takes it knows that none does.
      const callbackLock = new SpinLock(world.runtime, "callback lock");
      const channel = world.track("channel", { callback: "set" });
      const cache = world.allocate("packet cache", { free: 0 });
      world.interrupt("completion", async () => {
        await callbackLock.withLock(async () => {
          if (channel.callback !== "set") return;
          await world.point("give the packet back");
          cache.free += 1;
        });
      });
      world.task("destroy", async () => {
        if (order === "cache, then callbacks") world.free(cache);
        await callbackLock.withLock(() => {
          channel.callback = "reset";
        });
        if (order === "callbacks, then cache") world.free(cache);
      });
    },
  });
}

/** A request is under way: its completion is what the callback would have given it. */
function pendingProgram(pending: "is left" | "fails"): Program {
  return define({
    name: `destroy with callbacks stopped first, what is pending ${pending}`,
    setup(world) {
      const callbackLock = new SpinLock(world.runtime, "callback lock");
      const answer = new Completion(world.runtime, "answer");
      const channel = world.track("channel", { callback: "set" });
      world.task("request", () =>
        answer.wait().catch((error: unknown) => {
          if (!isKernelError(error, "ENODEV")) throw error;
        }),
      );
      world.interrupt("completion", () =>
        callbackLock.withLock(() => {
          if (channel.callback === "set") answer.completeAll();
        }),
      );
      world.task("destroy", async () => {
        await callbackLock.withLock(() => {
          channel.callback = "reset";
        });
        if (pending === "fails") answer.fail(new KernelError("ENODEV", "the channel is closed"));
      });
    },
  });
}

export const channelDestroyOrder: Dispute = {
  id: "D3.4",
  thread: "dxgkrnl",
  title: "The packet cache is destroyed before the channel is closed",
  argued: "Nobody argued about it: it follows from the order in which the channel is taken down.",
  found:
    "A completion that comes between the two gives its packet back to a cache that is gone. Closing first " +
    "waits for the callback that runs and lets none in after it; but then nobody completes what is under way, " +
    "which has to be failed, or its request waits for good.",
  variants: [
    {
      name: "as posted: cache first",
      program: program("cache, then callbacks"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    { name: "callbacks stopped first", program: program("callbacks, then cache"), expected: "safe" },
    {
      name: "callbacks stopped first, with a request under way",
      program: pendingProgram("is left"),
      expected: "unsafe",
      finds: "deadlock",
    },
    {
      name: "callbacks stopped, then what is pending failed",
      program: pendingProgram("fails"),
      expected: "safe",
    },
  ],
};
