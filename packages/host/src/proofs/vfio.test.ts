import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import { vfioPrograms } from "./vfio.test.fixture.js";

/** Users are asked to leave for a while, and what they wait for may never come: that is meant to pass. */
const patient: CheckOptions = { deadlines: "expected" };

for (const program of vfioPrograms) {
  prove(test, program, { ...patient, method: { delays: 1 } });
  prove(test, program, { ...patient, method: { random: { runs: 10, seed: 1 } } });
}
