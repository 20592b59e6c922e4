import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { systemClock } from "../clock.js";
import { Deadlines } from "./deadlines.js";

test("deadlines are missed in their order, whichever was asked for first, however late they are seen", async () => {
  const deadlines = new Deadlines();
  const now = systemClock.now();
  const order: number[] = [];
  await new Promise<void>((resolve) => {
    const due = [-1, -30, 0, -20, -30, 15, 5];
    for (const [index, ms] of due.entries()) {
      deadlines.add(now + ms, () => {
        order.push(index);
        if (order.length === due.length) resolve();
      });
    }
  });
  assert.deepEqual(order, [1, 4, 3, 0, 2, 6, 5]);
});

test("a deadline is never missed early, also one beyond what the platform's timers can count", async () => {
  const deadlines = new Deadlines();
  const begin = systemClock.now();
  const far = [2 ** 31, 2 ** 40, Number.MAX_VALUE].map((ms) =>
    deadlines.add(begin + ms, () => assert.fail(`${ms} ms have not passed`)),
  );
  await new Promise<void>((resolve) => deadlines.add(begin + 20, resolve));
  // The platform's timers count whole milliseconds.
  assert.ok(systemClock.now() + 1 >= begin + 20);
  for (const each of far) each.cancel();
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

test("one that is no number is missed at once, and takes no other one along", async () => {
  const deadlines = new Deadlines();
  const order: string[] = [];
  const now = systemClock.now();
  const missed = (name: string, due: number) =>
    new Promise<void>((resolve) => {
      deadlines.add(due, () => {
        order.push(name);
        resolve();
      });
    });
  const kept = setTimeout(() => assert.fail(`only ${order.join()} were missed`), 10_000);
  await Promise.all([missed("first", now + 5), missed("none", Number.NaN), missed("second", now + 15)]);
  clearTimeout(kept);
  assert.deepEqual(order, ["none", "first", "second"]);
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
