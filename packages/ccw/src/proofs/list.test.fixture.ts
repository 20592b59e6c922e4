/** What is proved of the drivers of subchannels that are passed through, how far, and which mistakes are found. */
import type { CheckOptions, FailureKind, Method, Mistake, Program, Proof } from "parhelion-explorer";
import * as events from "./events.test.fixture.js";
import * as held from "./held.test.fixture.js";
import * as lifetimes from "./lifetimes.test.fixture.js";
import type { CcwStage } from "./stage.test.fixture.js";

/** Users are given their time, and a device that does not stop is given up: both end by their deadlines. */
const options: CheckOptions = { deadlines: "expected", maxSteps: 3000 };
const random = (runs: number): Method => ({ random: { runs, seed: 1 } });
/** Many more than it takes, so that they are enough however the code changes around the mistake. */
const priorities: CheckOptions = { method: { pct: { depth: 3, runs: 5000, seed: 1 } }, maxRuns: 5000 };

type Planted = readonly [program: Program<CcwStage>, finds: FailureKind, options?: CheckOptions];

function every(program: Program<CcwStage>, ...planted: readonly Planted[]): Proof {
  return { program, options, mistakes: planted.map(mistake) };
}

/** Looked at within bounds in the tests, in every order when that is asked for. */
function everyWhenDeep(program: Program<CcwStage>, ...planted: readonly Planted[]): Proof {
  return {
    program,
    options,
    within: [{ delays: 2 }, random(40)],
    deep: ["optimal"],
    mistakes: planted.map(mistake),
  };
}

function bounded(delays: number, program: Program<CcwStage>, ...planted: readonly Planted[]): Proof {
  return {
    program,
    options,
    within: [{ delays }, random(40)],
    deep: [{ delays: delays + 1 }, random(2000)],
    mistakes: planted.map(mistake),
  };
}

/** It is called as at the end of its program's name. */
function mistake([program, finds, own]: Planted): Mistake {
  const [, called = ""] = /\(planted: (.+)\)$/.exec(program.name) ?? [];
  return { mistake: called, program, finds, ...(own === undefined ? {} : { options: own }) };
}

export const proofs: readonly Proof[] = [
  every(lifetimes.callbackAtProbe(), [
    lifetimes.callbackAtProbe("published early"),
    "expectation",
    priorities,
  ]),
  every(lifetimes.callbackAtUnbind("path"), [
    lifetimes.callbackAtUnbind("path", "data cleared first"),
    "use-after-free",
  ]),
  every(lifetimes.callbackAtUnbind("subchannel"), [
    lifetimes.callbackAtUnbind("subchannel", "data cleared first"),
    "use-after-free",
  ]),
  every(lifetimes.callbackAndRemove(), [
    lifetimes.callbackAndRemove("a link without a lock"),
    "use-after-free",
    priorities,
  ]),
  every(held.endAndRelease("as asked"), [
    held.endAndRelease("as asked", "work stays queued"),
    "use-after-free",
  ]),
  every(
    held.endAndRelease("never"),
    [held.endAndRelease("never", "a link without a lock"), "use-after-free"],
    [held.endAndRelease("never", "work stays queued"), "use-after-free"],
  ),
  every(held.pathAndRelease(), [
    held.pathAndRelease("a link without a lock"),
    "use-after-free",
    { method: { pct: { depth: 3, runs: 5000, seed: 7, steps: 40 } }, maxRuns: 5000 },
  ]),
  ...(["as asked", "never"] as const).map((stops) =>
    everyWhenDeep(lifetimes.interruptAndRemove(stops), [
      lifetimes.interruptAndRemove(stops, "close leaves what is pinned"),
      "expectation",
      priorities,
    ]),
  ),
  bounded(2, lifetimes.workAndRelease(), [
    lifetimes.workAndRelease("work stays queued"),
    "use-after-free",
    priorities,
  ]),
  everyWhenDeep(lifetimes.userWhoStays(), [lifetimes.userWhoStays("waited for"), "expectation"]),
  every(events.closeAndEnd(), [events.closeAndEnd("decided late"), "expectation"]),
  every(events.clearAndEnd(), [
    events.clearAndEnd("decided late"),
    "expectation",
    { method: { pct: { depth: 3, runs: 5000, seed: 1, steps: 60 } }, maxRuns: 5000 },
  ]),
  every(held.shutdownAndReport(), [held.shutdownAndReport("the todo without a lock"), "expectation"]),
  every(held.foundGoneAndStart(), [held.foundGoneAndStart("sleeps in the lock"), "sleep-in-atomic"]),
  bounded(2, events.goneAndStart(), [events.goneAndStart("sleeps in the lock"), "sleep-in-atomic"]),
  every(events.twoReaders(), [events.twoReaders("taken off later"), "double-free"]),
  every(events.twoStatuses(), [events.twoStatuses("one slot"), "expectation"]),
  every(events.droppedEventfd(), [events.droppedEventfd("loaded, then signalled"), "use-after-free"]),
  every(lifetimes.recreatedBesides(), [lifetimes.recreatedBesides("made once"), "use-after-free"]),
  bounded(2, lifetimes.recreated(), [lifetimes.recreated("made once"), "use-after-free"]),
  every(lifetimes.interruptWithoutMdev(), [
    lifetimes.interruptWithoutMdev("enabled in probe"),
    "expectation",
  ]),
  bounded(2, lifetimes.removedWhileOpen(), [
    lifetimes.removedWhileOpen("close leaves what is pinned"),
    "expectation",
    priorities,
  ]),
  bounded(2, lifetimes.removedAndReset(), [
    lifetimes.removedAndReset("quiesced first"),
    "expectation",
    priorities,
  ]),
  every(lifetimes.failedProbe(), [lifetimes.failedProbe("stays in reach"), "use-after-free"]),
  every(events.eventsAtOnce(), [events.eventsAtOnce("resets at once"), "exception"]),
  every(events.unmapAndStart(), [events.unmapAndStart("asks the started one only"), "expectation"]),
  every(events.startAndReset(), [events.startAndReset("back to idle"), "exception"]),
  every(events.twoStarts(), [events.twoStarts("looked at first"), "expectation"]),
  every(events.reportAndClose(), [events.reportAndClose("freed in close"), "use-after-free", priorities]),
  every(
    lifetimes.qdio(),
    [lifetimes.qdio("fence in the mdev's probe"), "expectation"],
    [lifetimes.qdio("fence below the registration"), "expectation"],
  ),
  everyWhenDeep(lifetimes.twoCreates(), [lifetimes.twoCreates("a pointer"), "expectation", priorities]),
  everyWhenDeep(lifetimes.evaluations("without a driver"), [
    lifetimes.evaluations("without a driver", "already being evaluated"),
    "expectation",
    priorities,
  ]),
  bounded(2, lifetimes.evaluations("with its driver"), [
    lifetimes.evaluations("with its driver", "already being evaluated"),
    "expectation",
    priorities,
  ]),
  bounded(1, events.everything(), [events.everything("a link without a lock"), "use-after-free", priorities]),
];
