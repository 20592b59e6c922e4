import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckOptions, check, type FailureKind, type Program, prove } from "parhelion-explorer";
import * as css from "./css.test.fixture.js";
import type { CssStage } from "./css-stage.test.fixture.js";

const departures: CheckOptions = { method: { delays: 2 } };
const random: CheckOptions = { method: { random: { runs: 30, seed: 1 } } };

/** Every order there is. */
for (const program of [
  css.duringProbe("interruption"),
  css.duringProbe("path event"),
  css.duringProbe("evaluation"),
  css.duringRemove("interruption"),
  css.duringRemove("path event"),
  css.duringRemove("evaluation"),
  css.todoFromTwoSides(),
]) {
  prove(test, program);
}
prove(test, css.askedAgain(), { deadlines: "expected" });
/** Those within a bound, and some of the rest. */
for (const program of [
  css.allAtOnce,
  css.replacedWhileLeaving("unregister"),
  css.replacedWhileLeaving("administrator"),
]) {
  prove(test, program, departures);
  prove(test, program, random);
}
for (const program of [css.overflow(), css.stopped]) {
  prove(test, program, { method: { delays: 1 } });
  prove(test, program, { method: { random: { runs: 100, seed: 1 } } });
}

/** What somebody has done wrong is found, so the proofs above can fail. */
const planted: readonly (readonly [Program<CssStage>, FailureKind])[] = [
  [css.duringProbe("interruption", "published first"), "expectation"],
  [css.duringRemove("interruption", "not withdrawn"), "use-after-free"],
  [css.duringRemove("path event", "not withdrawn"), "use-after-free"],
  [css.duringRemove("evaluation", "not withdrawn"), "use-after-free"],
  [css.duringRemove("evaluation", "not counted"), "use-after-free"],
  [css.overflow("silent"), "expectation"],
  [css.todoFromTwoSides("torn"), "expectation"],
  [css.replacedWhileLeaving("unregister", "dropped"), "expectation"],
  [css.askedAgain("forgotten"), "expectation"],
];
for (const [program, kind] of planted) {
  test(`${program.name} is found`, async () => {
    const { failure } = await check(program, {
      shrink: false,
      maxRuns: 2000,
      deadlines: "expected",
      ...departures,
    });
    assert.equal(failure?.kind, kind, failure?.message);
  });
}
