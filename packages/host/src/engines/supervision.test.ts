import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { HostError } from "../host-error.js";
import { engineOrReason, supervisionRig } from "./supervision.test.fixture.js";

const quick = { backOff: { firstMs: 0, mostMs: 0 } };
const request = { label: "", requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };
/** start, createDevice, createQueue, statistics. */
const messages = 4;

test("whichever message an engine dies at, everything asked of it settles and the next one works", async () => {
  for (let deadly = 1; deadly <= messages; deadly++) {
    const rig = supervisionRig(createRuntime(), quick);
    const { supervisor, engines } = rig;
    let served = 0;
    engines.fate = () => (++served === deadly ? "dies" : "goes on");
    const outcomes: string[] = [];
    const first = await engineOrReason(rig);
    if (typeof first !== "string") {
      for (const ask of [
        () => first.createDevice(1, 1, request),
        () => first.createQueue(1, 1, "0".repeat(32)),
        () => first.statistics(),
      ]) {
        try {
          await ask();
          outcomes.push("done");
        } catch (error) {
          assert.ok(error instanceof HostError && error.code === "engine-gone", String(error));
          outcomes.push("gone");
        }
      }
    }
    assert.deepEqual(
      outcomes,
      typeof first === "string" ? [] : ["done", "done", "done"].fill("gone", deadly - 2),
      `died at ${deadly}`,
    );
    const next = await engineOrReason(rig);
    assert.ok(typeof next !== "string", `died at ${deadly}: ${next}`);
    await next.createDevice(1, 1, request);
    assert.deepEqual([engines.started.length, rig.overlaps], [2, 0]);
    await supervisor.retire("the test is over");
    assert.deepEqual(engines.living, []);
    // One that dies before it was ready has nothing to lose.
    assert.equal(rig.losses.length, deadly > 1 ? 1 : 0);
  }
});

test("an engine that stays silent is suspect, then killed, and replaced", async () => {
  const rig = supervisionRig(createRuntime(), { ...quick, deadlines: { replyMs: 1, suspectMs: 1 } });
  const first = await rig.supervisor.acquire(0);
  rig.engines.fate = (engine) => (engine === rig.engines.started[0] ? "stays silent" : "goes on");
  await assert.rejects(
    first.statistics(1),
    (error) => error instanceof HostError && error.code === "engine-silent",
  );
  assert.match((await first.whenExited()).cause ?? "", /did not answer/);
  assert.notEqual(await rig.supervisor.acquire(1000), first);
  assert.equal(rig.overlaps, 0);
  await rig.supervisor.retire("the test is over");
});

test("a slice that goes while its engine starts gets none, and leaves none", async () => {
  const rig = supervisionRig(createRuntime());
  rig.engines.fate = (_engine, { op }) => (op === "start" ? "stays silent" : "goes on");
  const asked = engineOrReason(rig);
  await rig.supervisor.retire("its slice was removed");
  assert.match(String(await asked), /did not start|going away/);
  assert.deepEqual(rig.engines.living, []);
  assert.equal(rig.supervisor.status.state, "retired");
});
