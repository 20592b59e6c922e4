/** D1.3: one host wants its messages on the global channel, the other does not. */
import { Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";

type Route = "global channel" | "own channel";

function program(flag: "one for all" | "one per adapter"): Program {
  return define({
    name: `asynchronous messages, flag ${flag}`,
    setup(world) {
      const deviceMutex = new Mutex(world.runtime, "device_mutex");
      const global = world.track("dxgglobal", { route: "own channel" as Route });
      const hosts: readonly { name: string; wants: Route }[] = [
        { name: "F1", wants: "global channel" },
        { name: "F2", wants: "own channel" },
      ];
      for (const { name, wants } of hosts) {
        const state = flag === "one for all" ? global : world.track(name, { route: "own channel" as Route });
        world.task(`user of ${name}`, async () => {
          await deviceMutex.withLock(async () => {
            await world.point("ask for the adapter's properties");
            state.route = wants;
          });
          const route = await deviceMutex.withLock(() => state.route);
          world.expect(
            route === wants,
            `a message for ${name} goes to the ${route}, its host reads the ${wants}`,
          );
        });
      }
    },
  });
}

export const asyncFlag: Dispute = {
  id: "D1.3",
  thread: "dxgkrnl",
  title: "Asynchronous messages: the last function opened decides for all",
  argued:
    "Whether messages may go over the global channel is what one adapter's host answers, and is stored in the " +
    "global structure. Reviewed as one more field that belongs to a device.",
  found:
    "Two opens and a message are enough: the flag is right for whoever opened last. It needs no bad timing " +
    "inside the lock, so no locking repairs it; a field per adapter does.",
  variants: [
    {
      name: "as posted: one flag",
      program: program("one for all"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "per device: a flag in each adapter", program: program("one per adapter"), expected: "safe" },
  ],
};
