import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import { impatience, lifetimes, patience } from "./lifetime.test.fixture.js";

const patient: CheckOptions = { deadlines: "expected" };
const hasty: CheckOptions = { deadlines: "expected", anyTime: "timers" };

for (const program of lifetimes) {
  prove(test, program, { ...patient, method: { delays: 1 } });
  prove(test, program, { ...patient, method: { random: { runs: 40, seed: 1 } } });
  prove(test, program, { ...patient, method: { pct: { depth: 4, runs: 40, seed: 7, steps: 80 } } });
}
for (const program of impatience) {
  prove(test, program, { ...hasty, method: { delays: 1 } });
  prove(test, program, { ...hasty, method: { random: { runs: 60, seed: 1 } } });
  prove(test, program, { ...hasty, method: { pct: { depth: 4, runs: 60, seed: 7, steps: 80 } } });
}
prove(test, patience, hasty);
