import { test } from "node:test";
import { prove } from "../prove.js";
import * as programs from "./async-probe.js";

const { asyncDriverMeetsDevice, deferredGoes, ...others } = programs;

prove(test, asyncDriverMeetsDevice);
prove(test, deferredGoes);
for (const program of Object.values(others)) prove(test, program, { method: { preemptions: 1 } });
