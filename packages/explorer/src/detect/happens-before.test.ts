import assert from "node:assert/strict";
import { test } from "node:test";
import { Completion, Mutex, RwLock, Timer } from "parhelion-core";
import { check } from "../check.js";
import type { World } from "../program.js";

/** How many of all traces have a race. Each trace that has one is told in its own. */
async function races(setup: (world: World) => void): Promise<{ races: number; of: number }> {
  const { kinds, runs } = await check({ name: "race", setup }, { afterFailure: "go on" });
  assert.deepEqual(
    Object.keys(kinds).filter((kind) => kind !== "data-race"),
    [],
  );
  return { races: kinds["data-race"] ?? 0, of: runs };
}

test("two uses that nothing orders are a race in every order of them", async () => {
  assert.deepEqual(
    await races((world) => {
      const memory = world.track("memory", { value: 0 });
      world.task("load", async () => void memory.value);
      world.task("store", async () => {
        memory.value = 1;
      });
    }),
    { races: 2, of: 2 },
  );
});

test("two loads are none, and neither are the uses of one task", async () => {
  assert.deepEqual(
    await races((world) => {
      const memory = world.track("memory", { value: 0 });
      const own = world.track("own", { value: 0 });
      world.task("a", async () => {
        own.value = memory.value;
        await world.point();
        own.value += 1;
      });
      world.task("b", async () => void memory.value);
    }),
    { races: 0, of: 1 },
  );
});

test("a lock, a shared lock, a completion, a start and a timer order what they are there to order", async () => {
  const ordered: Readonly<Record<string, (world: World, memory: { value: number }) => void>> = {
    lock(world, memory) {
      const lock = new Mutex(world.runtime, "mutex");
      for (const name of ["a", "b"]) {
        world.task(name, () =>
          lock.withLock(() => {
            memory.value += 1;
          }),
        );
      }
    },
    "shared lock"(world, memory) {
      const lock = new RwLock(world.runtime, "rwlock");
      for (const name of ["a", "b"]) world.task(name, () => lock.withRead(() => void memory.value));
      world.task("writer", () =>
        lock.withWrite(() => {
          memory.value += 1;
        }),
      );
    },
    completion(world, memory) {
      const done = new Completion(world.runtime, "done");
      world.task("a", async () => {
        memory.value += 1;
        done.complete();
      });
      world.task("b", async () => {
        await done.wait();
        memory.value += 1;
      });
    },
    start(world, memory) {
      world.task("a", async () => {
        memory.value += 1;
        world.runtime.scheduler.spawn("child", async () => {
          memory.value += 1;
        });
      });
    },
    timer(world, memory) {
      const timer = new Timer(world.runtime, "timer", () => {
        memory.value += 1;
      });
      const fired = new Completion(world.runtime, "fired");
      const other = new Timer(world.runtime, "other", () => fired.complete());
      world.task("a", async () => {
        memory.value += 1;
        timer.start(5);
        other.start(9);
        await fired.wait();
      });
    },
    "wake-up alone"(world, memory) {
      const { scheduler } = world.runtime;
      let wake = () => {};
      world.task("sleeper", async () => {
        const blocked = scheduler.block("sleep", { name: "asleep" }, Number.POSITIVE_INFINITY);
        wake = () => void blocked.wake();
        await blocked.wakeup;
        memory.value += 1;
      });
      // Time passes when the sleeper sleeps.
      const nap = new Completion(world.runtime, "nap");
      world.runtime.clock.setTimer(5, () => nap.complete());
      world.task("waker", async () => {
        await nap.wait();
        memory.value += 1;
        wake();
      });
    },
    "passing of time"(world, memory) {
      const due = new Completion(world.runtime, "due");
      world.runtime.clock.setTimer(5, () => {
        memory.value += 1;
        due.complete();
      });
      world.task("a", async () => {
        memory.value += 1;
        await due.wait();
      });
    },
  };
  for (const [name, setup] of Object.entries(ordered)) {
    const found = await races((world) => setup(world, world.track("memory", { value: 0 })));
    assert.equal(found.races, 0, name);
  }
});

test("a lock that only one of them takes orders nothing", async () => {
  const found = await races((world) => {
    const memory = world.track("memory", { value: 0 });
    const lock = new Mutex(world.runtime, "lock");
    world.task("a", () =>
      lock.withLock(() => {
        memory.value += 1;
      }),
    );
    world.task("b", async () => {
      memory.value += 1;
    });
  });
  assert.equal(found.races, found.of);
});

test("what was done after a start is not ordered by it", async () => {
  const found = await races((world) => {
    const memory = world.track("memory", { value: 0 });
    world.task("a", async () => {
      world.runtime.scheduler.spawn("child", async () => {
        memory.value += 1;
      });
      memory.value += 1;
    });
  });
  assert.equal(found.races, found.of);
});
