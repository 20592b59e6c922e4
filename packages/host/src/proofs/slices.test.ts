import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import { slicePrograms } from "./slices.test.fixture.js";

/** Stops and last words have deadlines that are meant to pass. */
const patient: CheckOptions = { deadlines: "expected" };

for (const program of slicePrograms) {
  prove(test, program, { ...patient, method: { delays: 1 } });
  prove(test, program, { ...patient, method: { random: { runs: 10, seed: 1 } } });
  prove(test, program, { ...patient, method: { pct: { depth: 4, runs: 10, seed: 7, steps: 120 } } });
}
