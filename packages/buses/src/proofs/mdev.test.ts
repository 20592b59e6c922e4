import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckOptions, check, type FailureKind, type Program, prove } from "parhelion-explorer";
import * as mdev from "./mdev.test.fixture.js";
import * as binding from "./mdev-binding.test.fixture.js";
import * as outside from "./mdev-outside.test.fixture.js";
import type { MdevStage } from "./mdev-stage.test.fixture.js";

const departures: CheckOptions = { method: { delays: 2 } };
const random: CheckOptions = { method: { random: { runs: 20, seed: 1 } } };

/** Every order there is. */
for (const program of [
  mdev.removeAndUnregister("method"),
  mdev.twoRemoves(),
  mdev.earlyRemove(),
  mdev.removeOpen("somebody else"),
  mdev.removeOpen("its user"),
  mdev.noMemory(),
  mdev.lateReference(),
  mdev.advisory(),
]) {
  prove(test, program);
}
/** Those within a bound, and some of the rest. */
for (const program of [
  mdev.createAndUnregister("method"),
  mdev.createAndUnregister("file"),
  mdev.removeAndUnregister("file"),
  mdev.sameUuid,
  binding.unbound(),
  binding.useAndRemove,
  binding.bindAndCreate,
  binding.probeRefuses,
  binding.driverUnload,
  outside.removedFromOutside("created"),
  outside.removedFromOutside("removed"),
  outside.removedFromOutside("unregistered"),
  outside.useAndUnregister,
  outside.twoUses,
  outside.parentGoes("its driver is unbound"),
  outside.parentGoes("it is removed"),
]) {
  prove(test, program, departures);
  prove(test, program, random);
}
prove(test, outside.severalGo, { method: { random: { runs: 100, seed: 1 } } });
prove(test, outside.hastyCreate, { deadlines: "expected", anyTime: "timers and deadlines", ...departures });

/** What somebody has done wrong is found, so the proofs above can fail. */
const planted: readonly (readonly [Program<MdevStage>, FailureKind])[] = [
  [mdev.createAndUnregister("file", "create waits"), "deadlock"],
  [mdev.twoRemoves("the file stays"), "deadlock"],
  [mdev.earlyRemove("removes itself first"), "expectation"],
  [mdev.removeOpen("somebody else", "remove waits"), "deadlock"],
  [mdev.removeOpen("its user", "remove waits"), "deadlock"],
  [binding.unbound("the bus looks for drivers"), "expectation"],
  [mdev.noMemory("what was taken stays"), "expectation"],
  [mdev.lateReference("freed when unregistered"), "use-after-free"],
  [mdev.advisory("looks, then takes"), "expectation"],
];
for (const [program, kind] of planted) {
  test(`${program.name} is found`, async () => {
    const { failure } = await check(program, { shrink: false, maxRuns: 1000 });
    assert.equal(failure?.kind, kind, failure?.message);
  });
}
