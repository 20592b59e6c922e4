import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "parhelion-core";
import { noSlice } from "parhelion-protocol";
import { HostError, type HostErrorCode } from "../host-error.js";
import { type BackOffPolicy, backOffMs, defaultBackOff } from "./back-off.js";
import { defaultEngineDeadlines, EngineProcess } from "./engine-process.js";
import type { EngineLoss } from "./engine-state.js";
import { EngineSupervisor } from "./engine-supervisor.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

const entry = new URL("./scripted-engine.test.fixture.js", import.meta.url).pathname;

interface Supervised {
  readonly supervisor: EngineSupervisor;
  readonly losses: EngineLoss[];
  behaviour: string;
}

/** @param suspectMs enough for an engine that answers, or too little for one that does not */
function supervise(backOff: BackOffPolicy, suspectMs = 200_000): Supervised {
  const runtime = createRuntime();
  const losses: EngineLoss[] = [];
  const pids: number[] = [];
  const supervised: Supervised = {
    losses,
    behaviour: "good",
    supervisor: new EngineSupervisor({
      runtime,
      slice: "test-slice",
      backOff,
      suspectMs,
      launch: () => {
        if (supervised.behaviour === "cannot") return Promise.reject(new Error("no such GPU"));
        // A slice has one engine process at once: whatever became of the last one, it is gone.
        for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
        const engine = new EngineProcess({
          entry,
          nodeFlags: [],
          environment: { BEHAVIOUR: supervised.behaviour },
          start: { queuePath: "/unused", dawn: [], forceFallback: false, ...noSlice },
          deadlines: { ...defaultEngineDeadlines, replyMs: 20 },
          runtime,
          name: "engine of a test",
          onOutput: () => undefined,
          onDeviceLost: () => undefined,
        });
        if (engine.pid !== undefined) pids.push(engine.pid);
        return Promise.resolve(engine);
      },
      onReady: () => undefined,
      onLost: (_engine, loss) => losses.push(loss),
    }),
  };
  return supervised;
}

function failure(code: HostErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof HostError && error.code === code;
}

const quick: BackOffPolicy = { firstMs: 1, mostMs: 5, healthyAfterMs: 0 };
const slow: BackOffPolicy = { firstMs: 60_000, mostMs: 60_000, healthyAfterMs: 60_000 };

test("the engine starts with the first request, once for all who ask meanwhile", limit, async () => {
  const { supervisor } = supervise(quick);
  assert.equal(supervisor.status.state, "stopped");
  const [a, b] = await Promise.all([supervisor.acquire(0), supervisor.acquire(0)]);
  assert.equal(a, b);
  assert.equal(await supervisor.acquire(0), a);
  assert.equal(supervisor.status.starts, 1);
  await supervisor.retire("test");
  assert.equal(supervisor.status.state, "retired");
  assert.ok(a.exit);
});

test(
  "a killed engine is reported with its reason, and the next request gets a fresh one",
  limit,
  async () => {
    const { supervisor, losses } = supervise(quick);
    const first = await supervisor.acquire(0);
    first.kill("test");
    await first.whenExited();
    const second = await supervisor.acquire(1000);
    assert.notEqual(second, first);
    assert.notEqual(second.pid, first.pid);
    assert.equal(losses.length, 1);
    assert.match(losses[0]?.reason ?? "", /SIGKILL/);
    assert.equal(supervisor.status.starts, 2);
    await supervisor.retire("test");
    assert.equal(losses.length, 1);
  },
);

test(
  "during a long back-off a request is refused with the failure and the time to try again",
  limit,
  async () => {
    const supervised = supervise(slow);
    supervised.behaviour = "cannot";
    await assert.rejects(supervised.supervisor.acquire(10), /no such GPU/);
    await assert.rejects(supervised.supervisor.acquire(10), failure("engine-backing-off"));
    assert.equal(supervised.supervisor.status.state, "backing-off");
    assert.equal(supervised.supervisor.status.failures, 1);
    await supervised.supervisor.retire("test");
    await assert.rejects(supervised.supervisor.acquire(10), failure("engine-stopped"));
  },
);

test("an engine that fails to start again and again gets healthy when its trouble ends", limit, async () => {
  const supervised = supervise(quick);
  for (const behaviour of ["cannot", "failed", "exit-at-once"]) {
    supervised.behaviour = behaviour;
    await assert.rejects(supervised.supervisor.acquire(1000));
  }
  assert.equal(supervised.supervisor.status.failures, 3);
  supervised.behaviour = "good";
  const engine = await supervised.supervisor.acquire(1000);
  assert.equal(supervised.supervisor.status.state, "ready");
  engine.kill("test");
  await engine.whenExited();
  // It had stayed healthy (for 0 ms, says the policy), so this failure is the first again.
  await supervised.supervisor.acquire(1000);
  assert.equal(supervised.supervisor.status.failures, 1);
  await supervised.supervisor.retire("test");
});

test("retiring an engine that is starting ends its child and settles who waits for it", limit, async () => {
  const supervised = supervise(quick);
  supervised.behaviour = "silent";
  const waiting = supervised.supervisor.acquire(0);
  const settled = assert.rejects(waiting, failure("engine-start-failed"));
  await new Promise((resolve) => setImmediate(resolve));
  const { pid } = supervised.supervisor.status;
  await supervised.supervisor.retire("test");
  await settled;
  assert.ok(pid);
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

const silence = { label: "silence", requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };

test("an engine that misses a deadline is suspect, and stays if it answers", limit, async () => {
  const { supervisor, losses } = supervise(quick);
  const engine = await supervisor.acquire(0);
  await assert.rejects(engine.createDevice(1, 1, silence), failure("engine-silent"));
  assert.equal(supervisor.status.state, "suspect");
  await assert.rejects(supervisor.acquire(0), failure("engine-silent"));
  while (supervisor.status.state === "suspect") await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(await supervisor.acquire(0), engine);
  await supervisor.retire("test");
  assert.deepEqual(losses, []);
});

test("an engine that is suspect and does not answer is killed and replaced", limit, async () => {
  const supervised = supervise(quick, 30);
  const { supervisor, losses } = supervised;
  supervised.behaviour = "deaf";
  const engine = await supervisor.acquire(0);
  await assert.rejects(engine.createDevice(1, 1, silence), failure("engine-silent"));
  assert.match((await engine.whenExited()).cause ?? "", /did not answer/);
  assert.notEqual(await supervisor.acquire(1000), engine);
  assert.equal(losses.length, 1);
  await supervisor.retire("test");
});

test("the back-off never shrinks with more failures and stays within its bounds", limit, () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (failures) => {
      const delay = backOffMs(defaultBackOff, failures);
      assert.ok(delay >= defaultBackOff.firstMs && delay <= defaultBackOff.mostMs);
      assert.ok(backOffMs(defaultBackOff, failures + 1) >= delay);
    }),
  );
  assert.equal(backOffMs(defaultBackOff, 1), defaultBackOff.firstMs);
  assert.equal(backOffMs(defaultBackOff, 2), 2 * defaultBackOff.firstMs);
});
