import assert from "node:assert/strict";
import { test } from "node:test";
import { HealthRig } from "./health.test.fixture.js";
import { defaultHealthPolicy as policy } from "./health-policy.js";
import { SimulatedTime } from "./simulated-time.test.fixture.js";
import { SleepWatch, systemBootClock } from "./sleep-watch.js";

/** Longer than the watch takes to look. */
const aWhileMs = 10_000;

test("a machine that slept has its adapters probed, whatever their state, and once", async () => {
  const time = new SimulatedTime();
  const rig = new HealthRig(time.runtime);
  let sleptMs = 0;
  const watch = new SleepWatch(
    time.runtime,
    () => time.clock.now() + sleptMs,
    (ms) => rig.health.doubt(`the machine slept for ${ms} ms`),
  );
  await time.advance(100 * aWhileMs);
  assert.equal(rig.probes, 0);
  sleptMs = 3_600_000;
  await time.advance(aWhileMs);
  assert.deepEqual(time.events(), ["clock.jumped", "adapter.suspect", "adapter.healthy"]);
  assert.equal(rig.probes, 1);

  rig.works = false;
  rig.health.doubt("a reason");
  await time.advance(20 * policy.mostMs);
  assert.equal(rig.health.state, "drained");
  rig.works = true;
  sleptMs += 3_600_000;
  await time.advance(aWhileMs);
  assert.equal(rig.health.state, "healthy");
  await watch.close();
  await rig.health.close();
  assert.equal(time.armed, 0);
});

test("clocks that are read one after the other, or set back, are no sleep", async () => {
  const time = new SimulatedTime();
  let readings = 0;
  const watch = new SleepWatch(
    time.runtime,
    () => time.clock.now() + (++readings % 2) * 1500,
    () => assert.fail("it did not sleep"),
  );
  await time.advance(20 * aWhileMs);
  readings = -1_000_000;
  await time.advance(20 * aWhileMs);
  assert.deepEqual(time.events(), []);
  await watch.close();
});

test("this machine tells how long ago it was booted", () => {
  assert.ok(systemBootClock() > 0);
});
