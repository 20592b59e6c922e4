import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import { timePrograms } from "./time.test.fixture.js";

/** Turns end because time has passed. */
const patient: CheckOptions = { deadlines: "expected" };

for (const program of timePrograms) prove(test, program, { ...patient, maxRuns: 200_000 });
