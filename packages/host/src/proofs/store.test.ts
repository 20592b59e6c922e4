import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import { failingWrites, slowWrite } from "./store.test.fixture.js";

/** A write that takes too long is refused at its deadline. */
const patient: CheckOptions = { deadlines: "expected" };

const [, , longest, ...others] = failingWrites;
for (const program of [failingWrites[0], failingWrites[1], ...others])
  if (program !== undefined) prove(test, program, patient);
if (longest !== undefined) prove(test, longest, { ...patient, method: { delays: 3 } });
prove(test, slowWrite, patient);
