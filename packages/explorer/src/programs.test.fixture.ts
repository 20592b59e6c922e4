/** Programs that several tests use. */
import { Mutex } from "parhelion-core";
import type { Program } from "./program.js";

/** Each of the tasks adds one in two steps, with or without a lock; only the sum is looked at. */
export function counters(tasks: number, lock: "locked" | "unlocked"): Program {
  return {
    name: `${tasks} counters, ${lock}`,
    setup(world) {
      const shared = { name: "shared", count: 0 };
      const mutex = new Mutex(world.runtime, "mutex");
      for (let i = 0; i < tasks; i += 1) {
        world.task(`t${i}`, async () => {
          const guard = lock === "locked" ? await mutex.lock() : null;
          world.reads(shared);
          const before = shared.count;
          await world.point("add");
          world.writes(shared);
          shared.count = before + 1;
          guard?.release();
        });
      }
      return shared;
    },
    after: async (shared, world) => {
      const { count } = shared as { count: number };
      world.expect(count === tasks, `${tasks} increments make ${count}`);
    },
  };
}

/** Counts its own runs outside of the world: nothing about it can be repeated. */
export function moody(): Program {
  let runs = 0;
  return {
    name: "moody",
    setup(world) {
      runs += 1;
      const mood = runs;
      world.task("a", async () => {
        for (let i = 0; i < mood; i += 1) await world.point(`mood ${mood}`);
      });
      world.task("b", () => world.point());
    },
    after: async (_shared, world) => world.expect(false, "never content"),
  };
}

/** Fails as soon as `last` has gone after `first`; the others only make it long. */
export function crowded(others: number): Program {
  return {
    name: `crowd of ${others}`,
    setup(world) {
      const seen = world.atomic("seen", 0);
      world.task("first", async () => {
        await world.point();
        await seen.store(1);
      });
      for (let i = 0; i < others; i += 1) {
        world.task(`other ${i}`, async () => {
          await world.point();
          await world.point();
        });
      }
      world.task("last", async () => {
        await world.point();
        world.expect((await seen.load()) === 0, "last saw what first did");
      });
    },
  };
}
