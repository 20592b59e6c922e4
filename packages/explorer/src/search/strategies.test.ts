import assert from "node:assert/strict";
import { test } from "node:test";
import { defineCells } from "../cells/define.js";
import { exploreCells } from "../cells/explore.js";
import { check, load, store } from "../cells/program.js";
import { increments } from "../cells/published/counters.js";
import { mutexDeadlock, philosophers } from "../cells/published/locks.js";
import { Bounded } from "./bounded.js";
import { OptimalDpor } from "./optimal-dpor.js";
import { Random } from "./random.js";
import { Replay } from "./replay.js";
import { Pct, RandomWalk } from "./sampling.js";
import type { Strategy } from "./strategy.js";

/** Two tasks increment without a lock; a third finds one increment lost. Needs the reader last. */
const lost = defineCells({
  cells: { x: 0, done: 0 },
  tasks: [
    [load("x", "a"), store("x", (r) => r.a + 1), load("x", "b"), check((r) => (r.b > r.a ? 1 : 0), "lost")],
    [load("x", "a"), store("x", (r) => r.a)],
  ],
});

test("a failing schedule, replayed, fails in the same way at the same step, every time", () => {
  const found = exploreCells(lost, new OptimalDpor());
  assert.equal(found.verdict, "unsafe");
  const { schedule } = found.counterexample!;
  for (let i = 0; i < 2; i++)
    assert.deepEqual(exploreCells(lost, new Replay(schedule)).counterexample, found.counterexample);
});

test("replaying a schedule that does not fit abandons the run, and finds nothing out", () => {
  const report = exploreCells(lost, new Replay([7]));
  assert.deepEqual([report.abandoned, report.verdict], [1, "unknown"]);
});

test("a replay that outlasts its schedule lets the task that has the turn keep it", () => {
  const report = exploreCells(increments(2), new Replay([1]));
  assert.deepEqual([report.traces, report.steps, report.verdict], [1, 4, "unknown"]);
});

const samples: readonly (readonly [string, (seed: number) => Strategy])[] = [
  ["random walks", (seed) => new RandomWalk({ seed, runs: 200 })],
  ["probabilistic concurrency testing", (seed) => new Pct({ seed, runs: 200, depth: 3, steps: 5 })],
];

for (const [name, make] of samples) {
  test(`${name} find what some schedules do wrong, the same for the same seed`, () => {
    const reports = [1, 1, 2].map((seed) => exploreCells(lost, make(seed)));
    for (const { verdict } of reports) assert.equal(verdict, "unsafe");
    assert.deepEqual(reports[0], reports[1]);
  });

  test(`${name} never call a program safe`, () => {
    const report = exploreCells(increments(2), make(1));
    assert.deepEqual([report.runs, report.verdict], [200, "unknown"]);
  });
}

test("probabilistic concurrency testing of depth 1 never takes the turn from a task that can go on", () => {
  const pct = new Pct({ seed: 5, runs: 50, depth: 1, steps: 4, remember: true });
  exploreCells(increments(3), pct);
  const unbroken = new Bounded(0);
  exploreCells(increments(3), unbroken);
  assert.deepEqual([...pct.forms].sort(), [...unbroken.forms].sort());
});

test("a search that ends early or cuts runs calls nothing safe", () => {
  const program = increments(3);
  assert.equal(exploreCells(program, new OptimalDpor()).verdict, "safe");
  assert.equal(exploreCells(program, new OptimalDpor(), { maxRuns: 35 }).verdict, "unknown");
  assert.equal(exploreCells(program, new OptimalDpor(), { maxRuns: 36 }).verdict, "safe");
  assert.equal(exploreCells(program, new OptimalDpor(), { maxSteps: 5 }).verdict, "unknown");
});

test("a bound that keeps nothing out leaves the verdict safe", () => {
  assert.equal(exploreCells(increments(2), new Bounded(0)).verdict, "unknown");
  assert.equal(exploreCells(increments(2), new Bounded(9)).verdict, "safe");
  assert.throws(() => new Bounded(-1), RangeError);
});

test("deadlocks are counted, and told to who watches", () => {
  const ends: boolean[] = [];
  const report = exploreCells(philosophers(3, "left, right"), new OptimalDpor(), {
    observe: (_shared, deadlocked) => ends.push(deadlocked),
  });
  assert.equal(report.deadlocked, 1);
  assert.equal(ends.filter(Boolean).length, 1);
  assert.equal(exploreCells(mutexDeadlock(3), new OptimalDpor()).deadlocked, 3);
});

test("a search counts what it did", () => {
  const search = new OptimalDpor();
  const report = exploreCells(increments(3), search);
  const { runs, complete, abandoned, cut, failed, deadlocked, steps, maxDepth } = search.statistics;
  assert.deepEqual([runs, complete, abandoned, cut, failed, deadlocked, maxDepth], [36, 36, 0, 0, 0, 0, 6]);
  assert.equal(steps, report.steps);
  assert.ok(steps < 36 * 6, "steps of shared beginnings are not counted again");
});

test("names that are not defined are refused, saying where", () => {
  assert.throws(
    () => defineCells({ tasks: [[load("x")]] }),
    /task 0, instruction 0 \(load\): there is no cell x/,
  );
  assert.throws(() => defineCells({ locks: ["x"], tasks: [[load("x")]] }), /there is no cell x/);
  assert.throws(() => defineCells({ cells: { x: 0 }, locks: ["x"], tasks: [] }), /cell and of a lock/);
});

test("positions outside an array, and loops that do nothing, end the search with where they are", () => {
  const outside = defineCells({ cells: { x: [0, 0] }, tasks: [[load(["x", 2])]] });
  assert.throws(() => exploreCells(outside, new OptimalDpor()), /task 0: position 2 of x\[0\], which has 2/);
  const endless = defineCells({
    tasks: [
      [
        { kind: "label", name: "again" },
        { kind: "jump", label: "again" },
      ],
    ],
  });
  assert.throws(() => exploreCells(endless, new OptimalDpor()), /a loop must have one/);
});

test("random numbers are the same for the same seed, and spread evenly", () => {
  const [one, same, other] = [new Random(1), new Random(1), new Random(2)];
  const draws = Array.from({ length: 6000 }, () => one.below(6));
  assert.deepEqual(
    draws,
    Array.from({ length: 6000 }, () => same.below(6)),
  );
  assert.notDeepEqual(
    draws.slice(0, 50),
    Array.from({ length: 50 }, () => other.below(6)),
  );
  for (let face = 0; face < 6; face++) {
    const count = draws.filter((draw) => draw === face).length;
    assert.ok(count > 850 && count < 1150, `${face} came ${count} times of 6000`);
  }
});
