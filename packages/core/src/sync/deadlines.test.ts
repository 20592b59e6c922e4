import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { systemClock } from "../clock.js";
import { Deadlines } from "./deadlines.js";

test("deadlines are missed in their order, whichever was asked for first, and never early", async () => {
  const deadlines = new Deadlines();
  const begin = systemClock.now();
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    const missed = (name: string, ms: number) => () => {
      // The platform's timers count whole milliseconds.
      assert.ok(systemClock.now() + 1 >= begin + ms);
      order.push(name);
      if (order.length === 3) resolve();
    };
    deadlines.add(begin + 40, missed("third", 40));
    deadlines.add(begin + 5, missed("first", 5));
    deadlines.add(begin + 20, missed("second", 20));
  });
  assert.deepEqual(order, ["first", "second", "third"]);
});

test("a deadline that was cancelled is not missed, and those behind it are", async () => {
  const deadlines = new Deadlines();
  const begin = systemClock.now();
  const cancelled = deadlines.add(begin + 5, () => assert.fail("it was cancelled"));
  const kept = new Promise<void>((resolve) => deadlines.add(begin + 15, resolve));
  cancelled.cancel();
  cancelled.cancel();
  await kept;
});

test("a deadline can be cancelled by one that is missed at the same time", async () => {
  const deadlines = new Deadlines();
  const due = systemClock.now() - 1;
  await new Promise<void>((resolve) => {
    deadlines.add(due, () => {
      second.cancel();
      setTimeout(resolve, 5);
    });
    const second = deadlines.add(due, () => assert.fail("it was cancelled"));
  });
});

test("one deadline's end can ask for another", async () => {
  const deadlines = new Deadlines();
  await new Promise<void>((resolve) => {
    deadlines.add(systemClock.now() - 1, () => deadlines.add(systemClock.now() - 1, resolve));
  });
});

test("a process ends when nobody waits any more, and not before", () => {
  const module = new URL("./deadlines.js", import.meta.url).href;
  const clock = new URL("../clock.js", import.meta.url).href;
  const program = `
    import { Deadlines } from ${JSON.stringify(module)};
    import { systemClock } from ${JSON.stringify(clock)};
    const deadlines = new Deadlines();
    deadlines.add(systemClock.now() + 10 ** 9, () => {}).cancel();
    deadlines.add(systemClock.now() + 30, () => console.log("missed"));
    deadlines.add(systemClock.now() + 10 ** 9, () => {}).cancel();
  `;
  const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", program]);
  assert.equal(stdout.toString(), "missed\n");
  assert.equal(status, 0);
});
