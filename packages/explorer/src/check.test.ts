import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "./check.js";
import type { Method } from "./method.js";
import { counters, moody } from "./programs.test.fixture.js";

const thorough: readonly Method[] = ["optimal", "source", "sleep sets", "every"];

test("every thorough method finds the lost update, and exhausts the program that takes the lock", async () => {
  for (const method of thorough) {
    const unsafe = await check(counters(2, "unlocked"), { method });
    assert.equal(unsafe.verdict, "unsafe");
    assert.equal(unsafe.failure?.message, "2 increments make 1");
    const safe = await check(counters(2, "locked"), { method });
    assert.deepEqual([safe.verdict, safe.coverage, safe.failure], ["safe", "everything", null]);
  }
});

test("the reduced searches need fewer runs than the one that takes every order", async () => {
  const runs = new Map<Method, number>();
  for (const method of thorough) runs.set(method, (await check(counters(3, "locked"), { method })).runs);
  assert.equal(runs.get("optimal"), runs.get("source"));
  assert.ok((runs.get("optimal") as number) < (runs.get("every") as number));
});

test("a cap on runs, and one on steps, make the verdict unknown", async () => {
  const capped = await check(counters(3, "locked"), { maxRuns: 2 });
  assert.deepEqual([capped.verdict, capped.runs], ["unknown", 2]);
  const cut = await check(counters(2, "locked"), { maxSteps: 3 });
  assert.equal(cut.verdict, "unknown");
  assert.ok(cut.cut > 0);
});

test("bounds on preemptions are done one after the other, and each tells its runs", async () => {
  const bounded = await check(counters(2, "unlocked"), {
    method: { preemptions: [0, 1, 2, 3] },
    afterFailure: "go on",
  });
  assert.deepEqual(
    bounded.bounds.map(({ preemptions, failed }) => [preemptions, failed > 0]),
    [
      [0, false],
      [1, true],
      [2, true],
      [3, true],
    ].slice(0, bounded.bounds.length),
  );
  assert.equal(bounded.verdict, "unsafe");
  const none = await check(counters(2, "unlocked"), { method: { preemptions: 0 } });
  assert.deepEqual([none.verdict, none.coverage], ["unknown", "bound"]);
  const enough = await check(counters(2, "locked"), { method: { preemptions: [0, 1, 2, 3, 4, 5, 6] } });
  assert.deepEqual([enough.verdict, enough.coverage], ["safe", "everything"]);
  await assert.rejects(check(counters(2, "locked"), { method: { preemptions: -1 } }), RangeError);
});

test("a sample finds what is easy to find, and never calls anything safe", async () => {
  for (const method of [
    { random: { runs: 100, seed: 1 } },
    { pct: { depth: 3, runs: 100, seed: 1, steps: 8 } },
  ] as const) {
    assert.equal((await check(counters(2, "unlocked"), { method })).verdict, "unsafe");
    const safe = await check(counters(2, "locked"), { method });
    assert.deepEqual([safe.verdict, safe.runs], ["unknown", 100]);
  }
});

test("going on after a failure counts every trace and each kind", async () => {
  const all = await check(counters(2, "unlocked"), { afterFailure: "go on" });
  assert.deepEqual(all.kinds, { expectation: all.failed });
  assert.ok(all.failed > 0 && all.failed < all.runs);
});

test("a program that is another one every time is reported as such", async () => {
  const { failure } = await check(moody());
  assert.equal(failure?.kind, "uncontrolled");
  assert.match(failure?.message ?? "", /one schedule leads to different runs|led elsewhere/);
});
