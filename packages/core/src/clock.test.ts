import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.js";

test("a timer beyond the platform's 32 bits does not fire at once", async () => {
  const timer = systemClock.setTimer(2 ** 40, () => assert.fail("fired"));
  const after = new Promise<void>((resolve) => systemClock.setTimer(5, resolve));
  await after;
  timer.cancel();
});

test("a timer that is due fires later, not inside the call", async () => {
  const order: string[] = [];
  const fired = new Promise<void>((resolve) => {
    systemClock.setTimer(-1, () => {
      order.push("fired");
      resolve();
    });
  });
  order.push("set");
  await fired;
  assert.deepEqual(order, ["set", "fired"]);
});
