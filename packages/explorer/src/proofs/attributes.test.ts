import { test } from "node:test";
import { prove } from "../prove.js";
import * as attributes from "./attributes.js";

const { removesItself, lockMeetsRemoval, ...others } = attributes;

for (const program of Object.values(others)) prove(test, program);
for (const program of [removesItself, lockMeetsRemoval]) {
  prove(test, program, { method: { random: { runs: 300, seed: 1 } } });
  prove(test, program, { method: { pct: { depth: 3, runs: 300, seed: 1, steps: 30 } } });
}
