import assert from "node:assert/strict";
import { test } from "node:test";
import { audit, prove } from "parhelion-explorer";
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
  test(`${program.name}: what its tasks share is declared`, async () => {
    const { undeclared } = await audit(program, { pairs: 60 });
    assert.equal(undeclared, null, undeclared?.message);
  });
}
