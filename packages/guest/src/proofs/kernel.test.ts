import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import * as applications from "./applications.test.fixture.js";
import * as rendezvous from "./rendezvous.test.fixture.js";

/** Whoever waits for nothing to happen any more waits until a deadline. */
const patient: CheckOptions = { deadlines: "expected" };
/** Any deadline may pass at any step. */
const hasty: CheckOptions = { deadlines: "expected", anyTime: "timers and deadlines" };
const oneDeparture = { method: { delays: 1 } };
const twoDepartures = { method: { delays: 2 } };
const random = { method: { random: { runs: 40, seed: 1 } } };
const deep = { method: { pct: { depth: 4, runs: 40, seed: 7, steps: 150 } } };

for (const program of [...Object.values(rendezvous), ...Object.values(applications)]) {
  prove(test, program, { ...patient, ...oneDeparture });
  prove(test, program, { ...patient, ...random });
  prove(test, program, { ...patient, ...deep });
}

const { lossMeetsCreation, openMeetsDeath } = applications;
for (const program of [lossMeetsCreation, openMeetsDeath])
  prove(test, program, { ...patient, ...twoDepartures });

const { openMeetsRescind, requestMeetsRescind, waitMeetsDeath, cutMeetsRequest } = applications;
for (const program of [openMeetsRescind, requestMeetsRescind, waitMeetsDeath, cutMeetsRequest])
  prove(test, program, { ...hasty, ...random });
