/** D2.10: the channel is rescinded while a request waits for the host with the adapter's lock held. */
import { RwLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Channel, type OnRescind } from "../parts/channel.js";
import { define } from "../parts/define.js";
import { unlessGone } from "../parts/machine.js";

function program(onRescind: OnRescind): Program {
  return define({
    name: `rescind under a request: ${onRescind}`,
    setup(world) {
      const channel = new Channel(world, "channel of F1", onRescind);
      const lock = new RwLock(world.runtime, "core_lock");
      const adapter = world.track("adapter", { state: "active" });
      world.task("user", async () => {
        await unlessGone(() =>
          lock.withRead(async () => {
            if (adapter.state === "active") await channel.request("query");
          }),
        );
      });
      world.task("host takes the channel back", async () => {
        channel.rescind();
        await lock.withWrite(() => {
          adapter.state = "stopped";
          channel.close();
        });
      });
      return adapter;
    },
    async after(adapter, world) {
      world.expect(adapter.state === "stopped", "the adapter is not stopped");
    },
  });
}

export const rescindUnderRequest: Dispute = {
  id: "D2.10",
  thread: "dxgkrnl",
  title: "A rescind while a request waits for an answer that will not come",
  argued:
    "Requests wait for the host with core_lock held for reading. The bus wakes its own waiters on a rescind, " +
    "not those of the driver.",
  found:
    "The removal waits for the lock, the lock's holder for an answer from a channel that is gone: both for " +
    "ever, until somebody kills the user. When the rescind fails what is under way first, both end in every " +
    "order.",
  variants: [
    {
      name: "as posted: requests go on waiting",
      program: program("they go on waiting"),
      expected: "unsafe",
      finds: "deadlock",
    },
    { name: "the rescind fails them with ENODEV", program: program("they fail"), expected: "safe" },
  ],
};
