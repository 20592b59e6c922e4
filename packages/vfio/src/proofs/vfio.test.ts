import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckOptions, check, type FailureKind, type Program, prove } from "parhelion-explorer";
import * as paths from "./paths.test.fixture.js";
import * as removal from "./removal.test.fixture.js";
import * as user from "./user.test.fixture.js";

const departures: CheckOptions = { method: { delays: 2 } };
const random: CheckOptions = { method: { random: { runs: 60, seed: 1 } } };
/** That a user's time passes is what is meant to happen. */
const timed: CheckOptions = { deadlines: "expected" };

/** Every order there is. */
for (const program of [
  removal.nodeBeforeCount(),
  removal.removeOpen("somebody else"),
  removal.removeOpen("its user"),
  removal.dmaAndRevoke(),
  user.triggerTakenBack("SET_IRQS"),
  user.triggerTakenBack("close"),
  user.triggerTakenBack("revocation"),
  user.triggersAtOnce,
  user.unmapAndDma(),
  user.unmapAndPins(),
  paths.eitherWay(),
]) {
  prove(test, program, timed);
}
/** Those within a bound, and some of the rest. */
for (const program of [
  removal.closesWhenAsked,
  user.mapAndUnmap,
  user.mapAndRemove,
  paths.deviceOfGroup,
  paths.groupClosedFirst,
  paths.mdevRemoved,
]) {
  prove(test, program, { ...timed, ...departures });
  prove(test, program, { ...timed, ...random });
}
/** These are long: one departure from the order that comes by itself, and more of the rest. */
for (const program of [removal.openAndUnregister(), removal.closeAndRevoke(), paths.parentUnregistered]) {
  prove(test, program, { ...timed, method: { delays: 1 } });
  prove(test, program, { ...timed, method: { random: { runs: 150, seed: 1 } } });
}

/** What somebody has done wrong is found, so the proofs above can fail. */
const planted: readonly (readonly [Program<never>, FailureKind])[] = [
  [removal.nodeBeforeCount("node first"), "expectation"],
  [removal.openAndUnregister("remove does not wait"), "expectation"],
  [removal.closeAndRevoke("closed by hand"), "expectation"],
  [removal.removeOpen("somebody else", "remove waits"), "deadlock"],
  [removal.removeOpen("its user", "remove waits"), "deadlock"],
  [removal.dmaAndRevoke("waits by itself"), "deadlock"],
  [user.triggerTakenBack("SET_IRQS", "looks, then signals"), "use-after-free"],
  [user.triggerTakenBack("close", "looks, then signals"), "use-after-free"],
  [user.triggerTakenBack("revocation", "looks, then signals"), "use-after-free"],
  [user.unmapAndDma("keeps the bytes"), "use-after-free"],
  [user.unmapAndPins("keeps its view"), "use-after-free"],
  [paths.eitherWay("does not ask"), "expectation"],
] as never;
for (const [program, kind] of planted) {
  test(`${program.name} is found`, async () => {
    const { failure } = await check(program, { ...timed, ...departures, shrink: false });
    assert.equal(failure?.kind, kind, failure?.message);
  });
}
