import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckResult, check } from "../check.js";
import { type FailureKind, failureKinds } from "../failure.js";
import type { Program } from "../program.js";
import { readSchedule } from "../run/schedule.js";
import type { Observer } from "./observer.js";
import { planted } from "./planted.test.fixture.js";
import type { Planted, Version } from "./planted-bug.test.fixture.js";

function programOf(bug: Planted, version: Version): Program {
  let parts: Pick<Program, "before" | "after" | "invariant"> | undefined;
  return {
    name: `${bug.name}, ${version}`,
    setup: (world) => {
      parts = bug.setup(world, version);
    },
    after: async (shared, world) => parts?.after?.(shared, world),
    invariant: (shared, world) => parts?.invariant?.(shared, world),
  };
}

/** Also what the steps of the failing run were, as "task: operation of object". */
async function run(
  bug: Planted,
  version: Version,
): Promise<{ result: CheckResult; steps: readonly string[] }> {
  let steps: string[] = [];
  const observer: Observer = {
    runBegan: () => {
      steps = [];
    },
    stepBegan: ({ task }) => {
      if (task !== null) steps.push(`${task.name}: ${task.op} of ${task.on.name}`);
    },
  };
  const result = await check(programOf(bug, version), { observers: () => [observer], maxSteps: 200 });
  return { result, steps };
}

for (const bug of planted) {
  test(`${bug.finds}: ${bug.name}`, async () => {
    const { result, steps } = await run(bug, "with the bug");
    assert.equal(result.verdict, "unsafe");
    assert.equal(result.failure?.kind, bug.finds, result.failure?.message);
    assert.deepEqual(
      result.failure?.clash.map((step) => steps[step]),
      bug.clash,
      result.failure?.message,
    );
  });

  test(`${bug.finds}: ${bug.name}, mended`, async () => {
    const { result } = await run(bug, "mended");
    assert.equal(result.failure, null);
    assert.equal(result.verdict, "safe");
  });
}

test("every kind of failure is planted somewhere", () => {
  const kinds = Object.keys(failureKinds) as FailureKind[];
  const found = new Set(planted.map(({ finds }) => finds));
  assert.deepEqual(
    kinds.filter((kind) => !found.has(kind)),
    [],
  );
});

test("a kind that is ignored is no failure", async () => {
  for (const bug of planted) {
    const { verdict } = await check(programOf(bug, "with the bug"), {
      maxSteps: 200,
      ignore: Object.keys(failureKinds) as FailureKind[],
    });
    assert.notEqual(verdict, "unsafe", bug.name);
  }
});

test("every search that claims everything finds every kind, and shrinking makes no schedule longer", async () => {
  for (const bug of planted) {
    for (const method of ["optimal", "source", "sleep sets"] as const) {
      const options = { method, maxSteps: 200 };
      const raw = (await check(programOf(bug, "with the bug"), { ...options, shrink: false })).failure;
      const { failure } = await check(programOf(bug, "with the bug"), options);
      assert.deepEqual([raw?.kind, failure?.kind], [bug.finds, bug.finds], `${bug.name} by ${method}`);
      const [found, shrunk] = [raw, failure].map((each) => readSchedule(each?.schedule ?? "").length);
      assert.ok((shrunk as number) <= (found as number), `${bug.name} by ${method}`);
    }
  }
});
