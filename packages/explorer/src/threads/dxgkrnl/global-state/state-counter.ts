/** D1.4: a device's execution state is cached, and a counter that the host moves says when the cache is stale. */
import { Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

interface Shape {
  /** Whether another device's changes move the counter too. */
  readonly counter: "of the driver" | "of the device";
  readonly counterRead: "before asking" | "after the answer";
  readonly writeBack: "two plain stores" | "under a lock, newer ones only";
}

function program(shape: Shape): Program {
  return define({
    name: `counter ${shape.counter}, read ${shape.counterRead}, written back ${shape.writeBack}`,
    setup(world) {
      const counter = world.atomic(`state counter ${shape.counter}`, 0);
      const atHost = world.atomic("F1 at the host", "active");
      const cache = world.track("F1", { state: "unknown", counter: -1 });
      const lock = new Mutex(world.runtime, "cache of F1");
      const remember = async (state: string, seen: number): Promise<void> => {
        if (shape.writeBack === "two plain stores") {
          cache.state = state;
          await world.point("between the two fields");
          cache.counter = seen;
          return;
        }
        await lock.withLock(() => {
          if (seen > cache.counter) {
            cache.state = state;
            cache.counter = seen;
          }
        });
      };
      const look = (): { state: string; counter: number } => ({ state: cache.state, counter: cache.counter });
      const query = async (): Promise<string> => {
        let seen = await counter.load();
        const cached = shape.writeBack === "two plain stores" ? look() : await lock.withLock(look);
        if (cached.counter === seen) return cached.state;
        const state = await atHost.load();
        await world.point("the answer arrives");
        if (shape.counterRead === "after the answer") seen = await counter.load();
        await remember(state, seen);
        return state;
      };
      const ask = async () => {
        await query();
      };
      world.task("thread 1 asks", ask);
      if (shape.counterRead === "before asking") world.task("thread 2 asks", ask);
      world.task("host", async () => {
        await atHost.store("error");
        await counter.update((value) => value + 1);
        if (shape.counter === "of the driver") await counter.update((value) => value + 1);
      });
      return query;
    },
    async after(query, world) {
      const state = await query();
      world.expect(state === "error", `F1 is reported ${state} for good though its host said that it failed`);
    },
  });
}

export const stateCounter: Dispute = {
  id: "D1.4",
  thread: "dxgkrnl",
  title: "The execution state that is cached against one counter",
  argued:
    "One counter in the global structure tells all devices that some state has changed; a counter per device " +
    "was to keep them apart.",
  found:
    "The counter's place is not what matters. One for all only causes needless questions. A cached state stays " +
    "wrong for good, with either counter, when two threads write the state and the counter in turn, and with " +
    "one thread when the counter is read after the answer. Reading it first and writing both under a lock, " +
    "newer ones only, is enough.",
  variants: [
    {
      name: "as posted: one counter, written back without a lock",
      program: program({
        counter: "of the driver",
        counterRead: "before asking",
        writeBack: "two plain stores",
      }),
      expected: "unsafe",
      finds: "expectation",
      options: lookPastRaces,
    },
    {
      name: "per device: a counter each, written back without a lock",
      program: program({
        counter: "of the device",
        counterRead: "before asking",
        writeBack: "two plain stores",
      }),
      expected: "unsafe",
      finds: "expectation",
      options: lookPastRaces,
    },
    {
      name: "a counter each, read after the answer",
      program: program({
        counter: "of the device",
        counterRead: "after the answer",
        writeBack: "under a lock, newer ones only",
      }),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "fixed, one counter",
      program: program({
        counter: "of the driver",
        counterRead: "before asking",
        writeBack: "under a lock, newer ones only",
      }),
      expected: "safe",
    },
    {
      name: "fixed, a counter each",
      program: program({
        counter: "of the device",
        counterRead: "before asking",
        writeBack: "under a lock, newer ones only",
      }),
      expected: "safe",
    },
  ],
};
