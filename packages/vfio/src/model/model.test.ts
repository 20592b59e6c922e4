/** Random sequences of what users, drivers and administrators do, against the reference. */
import { test } from "node:test";
import fc from "fast-check";
import { Both, removals } from "./both.test.fixture.js";
import { memorySteps } from "./memory-steps.test.fixture.js";
import { pages } from "./reference-space.test.fixture.js";
import { deviceSteps, lifeSteps, type Steps } from "./steps.test.fixture.js";

/** Nothing of one use is left for the next. */
const again: Steps = {
  reopen: () => async (both) => {
    for (const name of ["closeOwn", "openOwn", "bind"]) await lifeSteps[name]?.(0, 0, 0)(both);
    await lifeSteps["attach"]?.(1, 0, 0)(both);
  },
};
const steps: Steps = { ...lifeSteps, ...deviceSteps, ...memorySteps, ...again };

/** Some are worth more tries than others. */
const often: readonly string[] = [
  ..."map map dirty dirty dmaWrite dmaWrite pin log report report reopen".split(" "),
  ...Object.keys(memorySteps),
];
const life = Object.keys(lifeSteps);
const device: readonly string[] = [
  "listen",
  "listen",
  "interrupt",
  "interrupt",
  "reopen",
  ...Object.keys(deviceSteps),
];

/** Mostly of one kind, now and then of another. */
const stepOf = (mostly: readonly string[], rarely: readonly string[]) =>
  fc
    .tuple(
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...mostly) },
        { weight: 1, arbitrary: fc.constantFrom(...rarely) },
      ),
      fc.nat({ max: pages - 1 }),
      fc.nat({ max: 3 }),
      fc.nat({ max: 7 }),
    )
    .map(([name, a, b, c]) => ({ name, a, b, c }));

type Begin = readonly (readonly [name: string, a?: number, b?: number, c?: number])[];
const ready: Begin = [["openGroup"], ["setContainer"], ["setIommu"], ["getDevice"]];
const mapped: Begin = [
  ["map", 0, 3, 1],
  ["map", 3, 2, 5],
  ["map", 6, 2, 4],
];
const own: Begin = [["openOwn"], ["bind"], ["attach", 1]];
/** Ways in that random steps find too rarely, to begin with. */
const begins: readonly Begin[] = [
  [],
  ready,
  [...ready, ...mapped, ["track", 0]],
  [["openGroup"], ["setContainer", 0, 3], ["getDevice"], ...mapped, ["track", 0]],
  [...own, ...mapped, ["log", 0]],
  [...own, ["listen", 0, 0, 0], ["listen", 0, 0, 3]],
];

test("random calls of a device, its group, its memory and its driver answer as the reference says", async (t) => {
  const done: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...begins),
      fc.constantFrom(...removals),
      fc.oneof(
        fc.array(stepOf(often, [...life, ...device]), { maxLength: 60, size: "max" }),
        fc.array(stepOf(device, [...life, ...often]), { maxLength: 60, size: "max" }),
        fc.array(stepOf(life, [...device, ...often]), { maxLength: 40, size: "max" }),
      ),
      fc.option(fc.nat({ max: 60 })),
      async (begin, removal, random, removedAt) => {
        const both = await Both.make(removal);
        for (const [name, a = 0, b = 0, c = 0] of begin) await steps[name]?.(a, b, c)(both);
        for (const [index, { name, a, b, c }] of random.entries()) {
          if (index === removedAt) await both.remove();
          await steps[name]?.(a, b, c)(both);
          both.compare();
          done[name] = (done[name] ?? 0) + 1;
        }
        await steps["dirty"]?.(0, 0, pages)(both);
        await both.end();
      },
    ),
    { numRuns: 500, seed: 1 },
  );
  t.diagnostic(`steps: ${JSON.stringify(done)}`);
});
