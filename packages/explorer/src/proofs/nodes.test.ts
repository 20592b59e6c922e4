import { test } from "node:test";
import { prove } from "../prove.js";
import * as nodes from "./nodes.js";
import { anyDeadline } from "./primitives.js";

const { openMissesDeadline, mappingMeetsRemoval, ...others } = nodes;

for (const program of Object.values(others)) prove(test, program);
prove(test, openMissesDeadline, anyDeadline);
// Every order takes half a minute.
prove(test, mappingMeetsRemoval, { method: { random: { runs: 300, seed: 1 } } });
prove(test, mappingMeetsRemoval, { method: { pct: { depth: 3, runs: 300, seed: 1, steps: 30 } } });
