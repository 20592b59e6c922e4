import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HostError } from "../host-error.js";
import { HealthRig } from "./health.test.fixture.js";
import { defaultHealthPolicy as policy } from "./health-policy.js";
import { SimulatedTime } from "./simulated-time.test.fixture.js";

function rigged(): { readonly time: SimulatedTime; readonly rig: HealthRig } {
  const time = new SimulatedTime();
  return { time, rig: new HealthRig(time.runtime) };
}

test("one guest that kills its own engine as often as it likes condemns nobody", async () => {
  const { time, rig } = rigged();
  for (let i = 0; i < 1000; i++) {
    rig.health.engineStarted("a");
    rig.health.engineFailed("a", "death", "SIGKILL");
    await time.advance(10);
  }
  assert.deepEqual(rig.states, ["healthy"]);
  assert.equal(rig.probes, 0);
});

test("failures of different slices at different times are no pattern", async () => {
  const { time, rig } = rigged();
  for (const slice of ["a", "b", "c", "d"]) {
    rig.health.engineFailed(slice, "death", "SIGKILL");
    await time.advance(policy.windowMs);
  }
  assert.deepEqual(rig.states, ["healthy"]);
});

test("engines of two slices that fail have the adapter probed; it passes and all is forgotten", async () => {
  const { time, rig } = rigged();
  rig.health.engineFailed("a", "death", "SIGSEGV");
  rig.health.engineFailed("b", "death", "SIGSEGV in b");
  assert.equal(rig.health.state, "suspect");
  assert.match(rig.health.status.reason, /2 slices.*SIGSEGV in b/);
  rig.health.assertAdmits();
  await time.advance(0);
  assert.deepEqual(rig.states, ["healthy", "suspect", "healthy"]);
  assert.deepEqual(time.events(), ["adapter.suspect", "adapter.healthy"]);
  assert.deepEqual(rig.health.status, {
    state: "healthy",
    reason: "",
    sinceMs: 0,
    probes: { passed: 1, failed: 0 },
    nextProbeMs: null,
  });
});

test("a probe that passed keeps further failures quiet for a while, not for ever", async () => {
  const { time, rig } = rigged();
  const twoFail = () => {
    rig.health.engineFailed("a", "death", "");
    rig.health.engineFailed("b", "death", "");
  };
  twoFail();
  await time.advance(0);
  twoFail();
  await time.advance(policy.calmMs);
  assert.equal(rig.probes, 1);
  twoFail();
  await time.advance(0);
  assert.equal(rig.probes, 2);
});

test("engines of one slice that do not even start are suspicious when they are enough in a row", async () => {
  const { time, rig } = rigged();
  for (let i = 0; i < policy.starts - 1; i++) rig.health.engineFailed("a", "start", "no driver");
  rig.health.engineStarted("a");
  for (let i = 0; i < policy.starts - 1; i++) rig.health.engineFailed("a", "start", "no driver");
  assert.equal(rig.health.state, "healthy");
  rig.health.engineFailed("a", "start", "no driver");
  assert.equal(rig.health.state, "suspect");
  await time.advance(0);
});

test("an adapter that fails its probes is drained, refuses devices with a time, and comes back by passing", async () => {
  const { time, rig } = rigged();
  rig.works = false;
  rig.health.engineFailed("a", "death", "");
  rig.health.engineFailed("b", "death", "");
  await time.advance(0);
  assert.equal(rig.health.state, "suspect");
  await time.advance(policy.firstMs);
  assert.equal(rig.health.state, "drained");
  assert.match(rig.health.status.reason, /its probe failed: no answer/);
  assert.throws(
    () => rig.health.assertAdmits(),
    (error) => {
      assert.ok(error instanceof HostError && error.code === "adapter-drained");
      assert.deepEqual(error.details, {
        adapter: "adapter0",
        state: "drained",
        retryInMs: 2 * policy.firstMs,
      });
      assert.match(error.message, /probed again in 2000 ms\. Try again then/);
      return true;
    },
  );
  rig.works = true;
  await time.advance(2 * policy.firstMs);
  assert.equal(rig.health.state, "re-probed");
  assert.throws(() => rig.health.assertAdmits(), /re-probed/);
  await time.advance(policy.firstMs);
  assert.deepEqual(rig.states, ["healthy", "suspect", "drained", "re-probed", "healthy"]);
  assert.deepEqual(time.events(), [
    "adapter.suspect",
    "adapter.drained",
    "adapter.re-probed",
    "adapter.healthy",
  ]);
  rig.health.assertAdmits();
});

test("a probe that passes between two that fail makes nothing healthy", async () => {
  const { time, rig } = rigged();
  rig.works = false;
  rig.health.doubt("a reason");
  await time.advance(policy.firstMs);
  rig.works = true;
  await time.advance(2 * policy.firstMs);
  assert.equal(rig.health.state, "re-probed");
  rig.works = false;
  await time.advance(policy.firstMs);
  assert.equal(rig.health.state, "drained");
});

test("a drained adapter is probed for ever, less and less often, never more seldom than the longest delay", async () => {
  const { time, rig } = rigged();
  rig.works = false;
  rig.health.doubt("a reason");
  await time.advance(100 * policy.mostMs);
  assert.equal(rig.health.state, "drained");
  const before = rig.probes;
  assert.ok(before < 120, `${before} probes`);
  await time.advance(policy.mostMs);
  assert.equal(rig.probes, before + 1);
  rig.works = true;
  await time.advance(2 * policy.mostMs);
  assert.equal(rig.health.state, "healthy");
});

test("doubt has a drained adapter probed at once", async () => {
  const { time, rig } = rigged();
  rig.works = false;
  rig.health.doubt("a reason");
  await time.advance(10 * policy.mostMs);
  const before = rig.probes;
  rig.health.doubt("the machine slept");
  await time.advance(0);
  assert.equal(rig.probes, before + 1);
  assert.equal(rig.health.status.nextProbeMs, policy.firstMs);
});

test("whatever happens, one probe runs at a time, and an adapter that works ends up healthy", async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constantFrom("start" as const, "death" as const),
      slice: fc.constantFrom("a", "b", "c"),
    }),
    fc.record({
      do: fc.constantFrom("started" as const, "forget" as const),
      slice: fc.constantFrom("a", "b"),
    }),
    fc.record({ do: fc.constantFrom("doubt" as const, "breaks" as const, "mends" as const) }),
    fc.record({ do: fc.constant("passes" as const), ms: fc.integer({ min: 0, max: 90_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { time, rig } = rigged();
      for (const each of steps) {
        if (each.do === "start" || each.do === "death") rig.health.engineFailed(each.slice, each.do, "");
        else if (each.do === "started") rig.health.engineStarted(each.slice);
        else if (each.do === "forget") rig.health.forget(each.slice);
        else if (each.do === "doubt") rig.health.doubt("");
        else if (each.do === "passes") await time.advance(each.ms);
        else rig.works = each.do === "mends";
        assert.ok(rig.running <= 1);
        const { state, nextProbeMs } = rig.health.status;
        assert.equal(nextProbeMs === null, state === "healthy", `${state}, next probe: ${nextProbeMs}`);
      }
      rig.works = true;
      await time.advance(policy.mostMs + policy.passedProbes * policy.firstMs);
      assert.equal(rig.health.state, "healthy");
      await rig.health.close();
      assert.equal(time.armed, 0);
    }),
    { numRuns: 100 },
  );
});

test("once closed it probes nobody and plans nothing, and waits for the probe that is under way", async () => {
  const { time, rig } = rigged();
  let end: () => void = () => undefined;
  rig.hold = () =>
    new Promise((resolve) => {
      end = resolve;
    });
  rig.health.doubt("a reason");
  await time.advance(0);
  assert.equal(rig.running, 1);
  let closed = false;
  const closing = rig.health.close().then(() => {
    closed = true;
  });
  await time.advance(0);
  assert.equal(closed, false);
  end();
  await closing;
  rig.health.doubt("another");
  rig.health.engineFailed("a", "death", "");
  rig.health.engineFailed("b", "death", "");
  await time.advance(policy.mostMs);
  assert.equal(rig.probes, 1);
  assert.equal(time.armed, 0);
});
