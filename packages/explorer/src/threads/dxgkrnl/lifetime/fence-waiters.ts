/** D3.6: the channel goes while a thread waits for a fence that only the channel's host can signal. */
import { Completion, isKernelError, KernelError, RwLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";

function program(removal: "stops the adapter only" | "stops the adapter and its devices"): Program {
  return define({
    name: `channel removal ${removal}`,
    setup(world) {
      const lock = new RwLock(world.runtime, "core_lock");
      const adapter = world.track("adapter", { state: "active", fences: [] as readonly Completion[] });
      world.task("user waits for a fence", async () => {
        const fence = new Completion(world.runtime, "fence");
        const state = await lock.withWrite(() => {
          if (adapter.state === "active") adapter.fences = [...adapter.fences, fence];
          return adapter.state;
        });
        if (state !== "active") return;
        await fence.wait().catch((error: unknown) => {
          if (!isKernelError(error, "ENODEV")) throw error;
        });
      });
      world.task("host takes the channel back", () =>
        lock.withWrite(() => {
          adapter.state = "stopped";
          if (removal === "stops the adapter only") return;
          for (const fence of adapter.fences) fence.fail(new KernelError("ENODEV", "the device was stopped"));
        }),
      );
    },
  });
}

export const fenceWaiters: Dispute = {
  id: "D3.6",
  thread: "dxgkrnl",
  title: "The channel is removed, and devices with waiters are not told",
  argued:
    "Removal of the PCI function stops the devices; removal of the channel only notes that the adapter is " +
    "stopped.",
  found:
    "Whoever waits for a fence then waits for good. When the removal stops the devices under the lock that new " +
    "waiters take, each waiter is either refused or woken.",
  variants: [
    {
      name: "as posted: only the adapter is stopped",
      program: program("stops the adapter only"),
      expected: "unsafe",
      finds: "deadlock",
    },
    {
      name: "the devices are stopped too",
      program: program("stops the adapter and its devices"),
      expected: "safe",
    },
  ],
};
