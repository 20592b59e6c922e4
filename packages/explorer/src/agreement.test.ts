/** Do the searches that leave runs out see all that the search sees which leaves out none? */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CheckOptions, check } from "./check.js";
import type { Program } from "./program.js";
import { randomProgram, tasks } from "./random-program.test.fixture.js";
import { EverySchedule } from "./search/every-schedule.js";
import { OptimalDpor } from "./search/optimal-dpor.js";
import { SleepSets } from "./search/sleep-sets.js";
import { SourceDpor } from "./search/source-dpor.js";

const reduced = [
  ["optimal", OptimalDpor],
  ["source", SourceDpor],
  ["sleep sets", SleepSets],
] as const;
/** What needs more is left out: to keep this quick. */
const maxRuns = 400;

/** Null: it needs more runs. */
async function seenBy(
  program: Program,
  Search: (typeof reduced)[number][1] | typeof EverySchedule,
  rules: Pick<CheckOptions, "anyTime" | "deadlines">,
) {
  const strategy = new Search({ remember: true });
  const options: CheckOptions = {
    strategy,
    ...rules,
    afterFailure: "go on",
    shrink: false,
    maxRuns,
    ignore: ["data-race", "lock-order", "lock-misuse", "leak", "sleep-in-atomic", "use-after-free"],
  };
  const { coverage, outcomes, kinds } = await check(program, options);
  if (coverage !== "everything") return null;
  return {
    outcomes: Object.keys(outcomes).sort(),
    kinds: Object.keys(kinds).sort(),
    forms: [...strategy.forms].sort(),
  };
}

const rules: Readonly<Record<string, Pick<CheckOptions, "anyTime" | "deadlines">>> = {
  "that nobody's deadline ends": {},
  "with deadlines that pass when nothing can run": { deadlines: "expected" },
  "with timers that fire at any time": { anyTime: "timers" },
  "with timers and deadlines at any time": { anyTime: "timers and deadlines", deadlines: "expected" },
};

for (const [name, rule] of Object.entries(rules)) {
  test(`all searches see the same of programs drawn by chance, ${name}`, async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(tasks, async (drawn) => {
        const program = randomProgram(drawn);
        const every = await seenBy(program, EverySchedule, rule);
        if (every === null) return;
        compared += 1;
        for (const [name, Search] of reduced) {
          const seen = await seenBy(program, Search, rule);
          assert.ok(seen !== null, name);
          assert.deepEqual(seen.outcomes, every.outcomes, name);
          assert.deepEqual(seen.kinds, every.kinds, name);
          assert.deepEqual(seen.forms, every.forms, name);
        }
      }),
      { seed: 1, numRuns: 40 },
    );
    assert.ok(compared > 15, `only ${compared} were small enough`);
  });
}
