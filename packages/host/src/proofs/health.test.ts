import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import * as health from "./health.test.fixture.js";

/** Probes are planned, so time is meant to pass. */
const patient: CheckOptions = { deadlines: "expected" };
/** A probe may begin at any moment, and not only when nothing else can happen. At random: in the worst order it is all that happens. */
const hasty: CheckOptions = { deadlines: "expected", anyTime: "timers and deadlines" };

for (const program of Object.values(health)) {
  prove(test, program, patient);
  prove(test, program, { ...hasty, method: { random: { runs: 300, seed: 2 } } });
}
