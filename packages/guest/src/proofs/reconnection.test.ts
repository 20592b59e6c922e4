import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import * as reconnection from "./reconnection.test.fixture.js";

/** Whoever waits for the host to come back waits until a deadline. */
const patient: CheckOptions = { deadlines: "expected" };
const oneDeparture = { method: { delays: 1 } };
const random = { method: { random: { runs: 40, seed: 1 } } };
const deep = { method: { pct: { depth: 4, runs: 40, seed: 7, steps: 150 } } };

for (const program of Object.values(reconnection))
  for (const method of [random, deep]) prove(test, program, { ...patient, ...method });

const { cutMeetsRescind, cutMeetsStop, refusedForGood, stopMeetsReturn } = reconnection;
for (const program of [cutMeetsRescind, cutMeetsStop, refusedForGood, stopMeetsReturn])
  prove(test, program, { ...patient, ...oneDeparture });
