import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { SimulatedClock } from "../time/simulation.test.fixture.js";
import { PendingRequests } from "./pending-requests.js";

test("the deadline of a request stands still while whoever answers is paused", async () => {
  const clock = new SimulatedClock();
  let pausedMs = 0;
  const late: string[] = [];
  const requests = new PendingRequests(
    createRuntime({ clock }),
    "an engine",
    (operation) => late.push(operation),
    () => pausedMs,
  );
  const outcome = requests
    .open("statistics", 10, () => undefined)
    .then(
      () => "answered",
      () => "silent",
    );
  await clock.pass(5);
  for (let step = 0; step < 20; step++) {
    pausedMs += 10;
    await clock.pass(10);
  }
  assert.deepEqual(late, []);
  await clock.pass(4);
  assert.deepEqual(late, []);
  await clock.pass(2);
  assert.deepEqual(late, ["statistics"]);
  assert.equal(await outcome, "silent");
});
