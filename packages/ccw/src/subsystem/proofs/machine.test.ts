import { test } from "node:test";
import { prove } from "parhelion-explorer";
import * as machine from "./machine.test.fixture.js";

for (const program of [
  machine.clearedWhileItEnds,
  machine.haltedWhileItEnds,
  machine.haltedAndCleared,
  machine.clearedTwice,
  machine.calledWhileItStarts,
  machine.pathGoesMeanwhile,
  machine.clearedWhileItStores,
  machine.pulledMeanwhile,
]) {
  prove(test, program);
}
