import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import { lifetimes } from "./lifetime.test.fixture.js";

const patient: CheckOptions = { deadlines: "expected" };
/** Patience may end at any moment. */
const hasty: CheckOptions = { deadlines: "expected", anyTime: "timers" };

for (const program of lifetimes) {
  prove(test, program, { ...patient, method: { delays: 1 } });
  prove(test, program, { ...hasty, method: { random: { runs: 40, seed: 1 } } });
  prove(test, program, { ...hasty, method: { pct: { depth: 4, runs: 40, seed: 7, steps: 80 } } });
}
