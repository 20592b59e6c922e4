import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { check } from "./check.js";
import { planted } from "./detect/planted.test.fixture.js";
import type { Program } from "./program.js";
import { counters } from "./programs.test.fixture.js";
import { replay } from "./replay.js";
import { writeSchedule } from "./run/schedule.js";

test("a found schedule leads to its failure, with every step written down", async () => {
  const program = counters(2, "unlocked");
  const { failure } = await check(program);
  const recording = await replay(program, failure?.schedule ?? "");
  assert.deepEqual(recording.failure, {
    kind: "expectation",
    message: "2 increments make 1",
    step: failure?.step,
    clash: [],
  });
  assert.deepEqual(
    recording.steps
      .slice(0, 2)
      .map(({ task, op, accesses, ending, next }) => ({ task, op, accesses, ending, next })),
    [
      {
        task: 0,
        op: "start",
        accesses: [{ object: "shared", mode: "read" }],
        ending: "goes on",
        next: "add of t0",
      },
      {
        task: 1,
        op: "start",
        accesses: [{ object: "shared", mode: "read" }],
        ending: "goes on",
        next: "add of t1",
      },
    ],
  );
});

test("any schedule of any program gives the same recording twice", async () => {
  const programs: readonly Program[] = [
    counters(3, "locked"),
    counters(3, "unlocked"),
    ...planted
      .filter(({ finds }) => finds !== "uncontrolled" && finds !== "livelock")
      .map(
        (bug) =>
          ({ name: bug.name, setup: (world) => void bug.setup(world, "with the bug") }) satisfies Program,
      ),
  ];
  const rules = { maxSteps: 100 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...programs),
      fc.array(fc.nat(2), { maxLength: 8 }),
      async (program, choices) => {
        const schedule = writeSchedule(choices);
        const once = await replay(program, schedule, rules).catch(String);
        assert.deepEqual(await replay(program, schedule, rules).catch(String), once);
      },
    ),
    { numRuns: 300 },
  );
});

test("a schedule that does not fit says where, and what could run", async () => {
  const program = counters(2, "locked");
  await assert.rejects(replay(program, "ac"), {
    name: "RangeError",
    message:
      "this is no schedule of 2 counters, locked as it is now: step 1 of the schedule takes task 3 of those that can " +
      "run, and only 2 can: t0, t1; check again to find a new one",
  });
  await assert.rejects(replay(program, "a99"), /it has 99 steps and the run was over after \d+; check again/);
  await assert.rejects(replay(program, "a?"), /"\?" at 1 is no letter, or number in brackets, with a count/);
});

test("a schedule that ends early goes on with turns for all", async () => {
  const recording = await replay(counters(2, "locked"), "");
  assert.equal(recording.failure, null);
  assert.equal(recording.steps.at(-1)?.phase, "after");
});

test("more tasks than there are letters are told apart", async () => {
  const many: Program = {
    name: "many",
    setup(world) {
      for (let i = 0; i < 60; i += 1) {
        world.task(`t${i}`, async () => world.expect(i < 59, "the last one has run"));
      }
    },
  };
  const { failure } = await check(many);
  assert.equal(failure?.schedule, "[59]");
  assert.equal((await replay(many, "[59]")).failure?.message, "the last one has run");
});
