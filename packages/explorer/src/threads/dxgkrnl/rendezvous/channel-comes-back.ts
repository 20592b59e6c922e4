/** D2.6, D2.7: the vGPU's channel is taken back, with and without its function being there. */
import { isKernelError, KernelError, Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";

function comesBack(starts: "waiting adapters" | "waiting and stopped adapters"): Program {
  return define({
    name: `channel comes back, start considers ${starts}`,
    setup(world) {
      const lock = new Mutex(world.runtime, "device_mutex");
      const adapter = world.track("adapter", { state: "active" });
      world.task("host takes the channel back and offers it again", async () => {
        await lock.withLock(() => {
          adapter.state = "stopped";
        });
        await lock.withLock(() => {
          if (starts === "waiting and stopped adapters" || adapter.state === "waiting")
            adapter.state = "active";
        });
      });
      const use = () =>
        lock.withLock(() => {
          if (adapter.state !== "active") throw new KernelError("ENODEV", "the adapter is stopped");
        });
      world.task("user", async () => {
        await use().catch((error: unknown) => {
          // While the channel is away that is the right answer.
          if (!isKernelError(error, "ENODEV")) throw error;
        });
      });
      return use;
    },
    async after(use, world) {
      const works = await use().then(
        () => true,
        () => false,
      );
      world.expect(works, "function and channel are there, and every request answers ENODEV for good");
    },
  });
}

export const channelComesBack: Dispute = {
  id: "D2.6",
  thread: "dxgkrnl",
  title: "The vGPU's channel is rescinded and offered again",
  argued: "An adapter goes from waiting to active to stopped, and there is no way back.",
  found:
    "After the second offer the adapter stays stopped whatever the order, since starting looks at waiting " +
    "adapters only. With a way back from stopped every later request succeeds; one that falls between gets " +
    "ENODEV.",
  variants: [
    {
      name: "as posted: only waiting adapters are started",
      program: comesBack("waiting adapters"),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "a stopped adapter waits again",
      program: comesBack("waiting and stopped adapters"),
      expected: "safe",
    },
  ],
};

interface Entry {
  open: boolean;
}

function goneBefore(entry: "is removed" | "stays in the list"): Program {
  return define({
    name: `channel goes before the function comes, its entry ${entry}`,
    setup(world) {
      const lock = new Mutex(world.runtime, "device_mutex");
      const channel = world.allocate<Entry>("channel", { open: true });
      const list = world.track("vgpu_ch_list", { entries: [channel] as readonly Entry[] });
      const adapter = world.track("adapter", { state: "absent", channel: null as Entry | null });
      world.task("function appears", () =>
        lock.withLock(() => {
          adapter.state = "waiting";
          const [found] = list.entries;
          if (found === undefined) return;
          world.expect(found.open, "the function is paired with a channel that is closed");
          adapter.channel = found;
          adapter.state = "active";
        }),
      );
      world.task("host takes the channel back", () =>
        lock.withLock(() => {
          channel.open = false;
          if (adapter.channel === channel) {
            adapter.channel = null;
            adapter.state = "stopped";
          }
          if (entry === "is removed") list.entries = [];
          world.free(channel);
        }),
      );
      return adapter;
    },
    async after(adapter, world) {
      world.expect(adapter.state !== "active", "the adapter is active without a channel");
    },
  });
}

export const channelGoneBefore: Dispute = {
  id: "D2.7",
  thread: "dxgkrnl",
  title: "The channel is rescinded before its function is probed",
  argued: "Of the driver's own list of channels the reviewer said that the bus has it already.",
  found:
    "The list is right as long as an entry leaves it with its channel, under the lock that pairing holds: both " +
    "orders are safe as posted. An entry that stays is memory that was freed by the time a function is paired " +
    "with it.",
  variants: [
    {
      name: "the entry stays in the list",
      program: goneBefore("stays in the list"),
      expected: "unsafe",
      finds: "use-after-free",
    },
    {
      name: "as posted: the entry goes with the channel",
      program: goneBefore("is removed"),
      expected: "safe",
    },
  ],
};
