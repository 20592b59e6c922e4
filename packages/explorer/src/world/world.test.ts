import assert from "node:assert/strict";
import { test } from "node:test";
import { Device } from "parhelion-core";
import { check, type Found } from "../check.js";
import type { Program, World } from "../program.js";

async function failureOf(setup: (world: World) => void, after?: Program["after"]): Promise<Found | null> {
  return (await check({ name: "world", setup, ...(after === undefined ? {} : { after }) })).failure;
}

/** The window is opened and closed by one task, and the callback comes from another whenever it likes. */
function calling(order: readonly ("open" | "close")[]): (world: World) => void {
  return (world) => {
    const window = world.window("callbacks");
    if (order[0] !== "open") window.open();
    world.task("owner", async () => {
      for (const move of order) {
        await world.point(move);
        window[move]();
      }
    });
    world.task("caller", async () => {
      await window.during("callback", () => world.point("call"));
    });
  };
}

test("a callback before its window opens, after it closes, or while it closes, is outside of it", async () => {
  const messages = new Set<string>();
  for (const order of [["open"], ["close"]] as const) {
    for (let seed = 1; seed <= 8; seed += 1) {
      const { failure } = await check(
        { name: "window", setup: calling(order) },
        { method: { random: { runs: 20, seed } } },
      );
      assert.equal(failure?.kind, "outside-window");
      messages.add(failure?.message ?? "");
    }
  }
  assert.deepEqual([...messages].sort(), [
    "callback comes when callbacks is closed",
    "callback comes when callbacks is not open yet",
    "callback is still running when callbacks is closed",
  ]);
});

test("memory is told apart by name and number, and what was not allocated can't be freed", async () => {
  const leak = await failureOf((world) => {
    world.task("a", async () => {
      const [one] = [world.allocate("buffer", {}), world.allocate("buffer", {})];
      world.free(one);
    });
  });
  assert.deepEqual(
    [leak?.kind, leak?.message],
    ["leak", "buffer (2), there since step 0 of a, is never freed"],
  );
  const wrong = await failureOf((world) =>
    world.task("a", async () => world.free(world.track("static", {}))),
  );
  assert.deepEqual(
    [wrong?.kind, wrong?.message],
    ["double-free", "free of something that was not allocated"],
  );
});

test("what setup allocates is a leak without an after, what it counts only with one", async () => {
  const device = (world: World) => void new Device(world.runtime, { name: "device" });
  assert.equal(await failureOf(device), null);
  assert.equal(
    (await failureOf(device, async () => {}))?.message,
    "/devices/device, there since setup, is never freed",
  );
  assert.equal(
    (await failureOf((world) => void world.allocate("buffer", {})))?.message,
    "buffer is never freed",
  );
});

test("the lock of a device is not there any more after the device's last reference", async () => {
  const found = await failureOf((world) => {
    const device = new Device(world.runtime, { name: "device" });
    world.task("user", () => device.mutex.withLock(() => {}));
    world.task("last", async () => device.put());
  });
  assert.equal(found?.kind, "use-after-free");
  assert.match(
    found?.message ?? "",
    /^user uses lock of \/devices\/device \(write\) after last freed \/devices\/device/,
  );
  const holding = await failureOf((world) => {
    const device = new Device(world.runtime, { name: "device" });
    device.get();
    world.task("user", async () => {
      await device.mutex.withLock(() => {});
      device.put();
    });
    world.task("last", async () => device.put());
  });
  assert.equal(holding, null);
});

test("two tasks of one name are refused", async () => {
  const found = await failureOf((world) => {
    world.task("a", async () => {});
    world.task("a", async () => {});
  });
  assert.match(found?.message ?? "", /there is a task a already: give each its own name/);
});

test("each operation of an atomic is one step, and a failed swap is told from one that did not fail", async () => {
  const { outcomes } = await check({
    name: "atomics",
    setup(world) {
      const cell = world.atomic("cell", 0);
      const seen: unknown[] = [];
      world.task("a", async () => {
        seen.push(await cell.exchange(1), await cell.compareAndSwap(1, 2), await cell.compareAndSwap(1, 3));
        await cell.store(4);
        seen.push(await cell.update((value) => value + 1), await cell.load());
      });
      return seen;
    },
    observe: (seen) => seen,
  });
  assert.deepEqual(outcomes, { "[0,true,false,4,5]": 1 });
});

test("outcomes are counted by what they were", async () => {
  const { outcomes, verdict } = await check({
    name: "last one",
    setup(world) {
      const last = world.share("last", { name: "" });
      for (const name of ["a", "b"]) {
        world.task(name, async () => {
          last.name = name;
        });
      }
      return last;
    },
    observe: (last) => last,
  });
  assert.deepEqual([verdict, outcomes], ["safe", { '{"name":"a"}': 1, '{"name":"b"}': 1 }]);
});
