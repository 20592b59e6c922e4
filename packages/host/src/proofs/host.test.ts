import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import * as house from "./house.test.fixture.js";
import * as supervision from "./supervision.test.fixture.js";

/** Back-offs, stops and last questions have deadlines that are meant to pass. */
const patient: CheckOptions = { deadlines: "expected" };
const hasty: CheckOptions = { deadlines: "expected", anyTime: "timers and deadlines" };

const { startMeetsStop, startMeetsDeath, requestMeetsDeath, ...others } = supervision;
for (const program of [startMeetsStop, startMeetsDeath])
  prove(test, program, { ...patient, method: { random: { runs: 300, seed: 1 } } });
prove(test, requestMeetsDeath, patient);
for (const program of Object.values(others)) prove(test, program, patient);
for (const program of [startMeetsStop, startMeetsDeath, ...Object.values(others)])
  prove(test, program, { ...hasty, method: { random: { runs: 200, seed: 1 } } });
for (const program of Object.values(house)) {
  prove(test, program, { ...patient, method: { delays: 1 } });
  prove(test, program, { ...patient, method: { random: { runs: 40, seed: 1 } } });
  prove(test, program, { ...patient, method: { pct: { depth: 4, runs: 40, seed: 7, steps: 80 } } });
}

const { closeMeetsStart, deathMeetsDevice, fenceMeetsAll, leavingMeetsStart } = house;
for (const program of [closeMeetsStart, deathMeetsDevice, fenceMeetsAll, leavingMeetsStart])
  prove(test, program, { ...patient, method: { delays: 2 } });
for (const program of [startMeetsStop, startMeetsDeath])
  prove(test, program, { ...patient, method: { delays: 3 } });

const { stopMeetsAll, stopMeetsDeath, ...lasting } = house;
for (const program of Object.values(lasting))
  prove(test, program, { ...hasty, method: { random: { runs: 40, seed: 3 } } });
