import { test } from "node:test";
import { type CheckOptions, prove } from "parhelion-explorer";
import * as pci from "./pci.test.fixture.js";
import * as vmbus from "./vmbus.test.fixture.js";

/** A good-bye that nobody answers ends by its deadline. */
const patient: CheckOptions = { deadlines: "expected" };
const hasty: CheckOptions = { deadlines: "expected", anyTime: "timers and deadlines" };
const random = { method: { random: { runs: 100, seed: 1 } } };
const departures = { method: { delays: 2 } };
const deep = { method: { pct: { depth: 3, runs: 100, seed: 1, steps: 60 } } };

prove(test, vmbus.twoRescinds, patient);
prove(test, vmbus.unregisterMeetsRescind, patient);
prove(test, vmbus.requestMeetsCut, patient);
prove(test, vmbus.lateReply, patient);
for (const program of [
  vmbus.connectMeetsCut,
  vmbus.offerMeetsDriver,
  vmbus.offeredAgain,
  vmbus.openedAgain,
  vmbus.openMeetsRescind,
  vmbus.requestMeetsRescindAndClose,
  vmbus.rescindMeetsLeaving,
  vmbus.offeredTwice,
  vmbus.bothHangUp,
  vmbus.leavingMeetsAll,
  vmbus.everythingAtOnce,
  ...Object.values(pci),
]) {
  prove(test, program, { ...patient, ...departures });
  prove(test, program, { ...patient, ...random });
  prove(test, program, { ...patient, ...deep });
}
prove(test, vmbus.openedAgain, { ...hasty, ...random });
prove(test, vmbus.lateReply, { ...hasty, ...random });
