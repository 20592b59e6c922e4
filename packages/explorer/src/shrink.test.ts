import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "./check.js";
import { planted } from "./detect/planted.test.fixture.js";
import type { Program } from "./program.js";
import { crowded } from "./programs.test.fixture.js";
import { replay } from "./replay.js";

const long = { method: { random: { runs: 200, seed: 7 } } } as const;

test("what the failure does not need is dropped, and what it needs is put together", async () => {
  const program = crowded(4);
  const { failure } = await check(program, long);
  const { steps, tasks, failure: again } = await replay(program, failure?.schedule ?? "");
  assert.equal(again?.message, "last saw what first did");
  assert.deepEqual(
    steps.map(({ task }) => tasks[task]?.name),
    ["first", "first", "first", "last", "last", "last"],
  );
});

test("without shrinking the schedule is the one that was run", async () => {
  const short = await check(crowded(4), long);
  const asFound = await check(crowded(4), { ...long, shrink: false });
  assert.ok((short.failure?.step as number) < (asFound.failure?.step as number));
  assert.equal(
    (await replay(crowded(4), asFound.failure?.schedule ?? "")).failure?.step,
    asFound.failure?.step,
  );
});

test("shrinking is deterministic, and keeps the kind", async () => {
  for (const bug of planted) {
    if (bug.finds === "uncontrolled") continue;
    const program: Program = { name: bug.name, setup: (world) => void bug.setup(world, "with the bug") };
    const options = { method: { random: { runs: 500, seed: 3 } }, maxSteps: 200 } as const;
    const first = await check(program, { ...options, shrink: false });
    const once = await check(program, options);
    assert.deepEqual(await check(program, options), once);
    assert.equal(once.failure?.kind, first.failure?.kind, bug.name);
    assert.ok((once.failure?.step ?? 0) <= (first.failure?.step ?? 0), bug.name);
  }
});
