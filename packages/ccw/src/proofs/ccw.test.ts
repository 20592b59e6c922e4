import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckOptions, check, type FailureKind, type Program, prove } from "parhelion-explorer";
import * as events from "./events.test.fixture.js";
import * as lifetimes from "./lifetimes.test.fixture.js";
import type { CcwStage } from "./stage.test.fixture.js";

/** Users are given their time, and a device that does not stop is given up: both end by their deadlines. */
const patient: CheckOptions = { deadlines: "expected", maxSteps: 3000 };
const departures = (delays: number): CheckOptions => ({ ...patient, method: { delays } });
const random: CheckOptions = { ...patient, method: { random: { runs: 15, seed: 1 } } };

/** Every order there is. */
for (const program of [
  lifetimes.interruptWithoutMdev(),
  lifetimes.qdio(),
  events.closeAndEnd(),
  events.eventsAtOnce(),
  events.unmapAndStart(),
  events.startAndReset(),
  events.twoStarts(),
  events.clearAndEnd(),
  events.twoReaders(),
  events.twoStatuses(),
  events.droppedEventfd(),
  events.reportAndClose(),
]) {
  prove(test, program, patient);
}
/** Those within a bound, and some of the rest. */
for (const [delays, program] of [
  [2, lifetimes.callbackAtProbe()],
  [1, lifetimes.callbackAtUnbind()],
  [2, lifetimes.callbackAndRemove()],
  [1, lifetimes.interruptAndRemove("as asked")],
  [1, lifetimes.interruptAndRemove("never")],
  [2, lifetimes.workAndRelease()],
  [1, lifetimes.userWhoStays()],
  [1, lifetimes.recreated()],
  [1, lifetimes.removedWhileOpen()],
  [2, lifetimes.failedProbe()],
  [1, lifetimes.twoCreates()],
  [1, lifetimes.evaluations()],
  [1, events.goneAndStart()],
  [1, events.everything()],
] as const) {
  prove(test, program, departures(delays));
  prove(test, program, random);
}

/** What the kernel does in another order, and what others have proposed, is found: the proofs above can fail. */
const priorities: CheckOptions = { method: { pct: { depth: 3, runs: 300, seed: 1, steps: 120 } } };
const planted: readonly (readonly [Program<CcwStage>, FailureKind, CheckOptions?])[] = [
  [lifetimes.callbackAtProbe("published early"), "expectation", priorities],
  [lifetimes.callbackAndRemove("a link without a lock"), "use-after-free", priorities],
  [lifetimes.workAndRelease("work stays queued"), "use-after-free", priorities],
  [lifetimes.userWhoStays("waited for"), "livelock"],
  [lifetimes.recreated("made once"), "use-after-free"],
  [lifetimes.interruptWithoutMdev("enabled in probe"), "expectation"],
  [lifetimes.failedProbe("stays in reach"), "use-after-free"],
  [events.closeAndEnd("decided late"), "expectation"],
  [
    events.clearAndEnd("decided late"),
    "expectation",
    { method: { pct: { depth: 3, runs: 400, seed: 1, steps: 60 } } },
  ],
  [events.eventsAtOnce("resets at once"), "exception"],
  [events.goneAndStart("sleeps in the lock"), "sleep-in-atomic"],
  [events.twoReaders("taken off later"), "double-free"],
  [events.twoStatuses("one slot"), "expectation"],
  [events.droppedEventfd("loaded, then signalled"), "use-after-free"],
  [events.reportAndClose("freed in close"), "use-after-free", priorities],
];
for (const [program, kind, options] of planted) {
  test(`${program.name} is found`, async (t) => {
    const { failure, runs } = await check(program, { ...patient, shrink: false, maxRuns: 1000, ...options });
    assert.equal(failure?.kind, kind, failure?.message);
    t.diagnostic(`after ${runs} runs: ${failure?.schedule}`);
  });
}
