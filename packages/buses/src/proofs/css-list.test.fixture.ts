/** What is proved of the subchannels' bus, how far, and which mistakes are found. */
import type { CheckOptions, FailureKind, Method, Mistake, Program, Proof } from "parhelion-explorer";
import * as css from "./css.test.fixture.js";
import type { CssStage } from "./css-stage.test.fixture.js";

const random = (runs: number): Method => ({ random: { runs, seed: 1 } });
const departures: CheckOptions = { method: { delays: 2 } };

type Planted = readonly [program: Program<CssStage>, finds: FailureKind, options?: CheckOptions];

/** It is called as at the end of its program's name. */
function mistake([program, finds, own]: Planted): Mistake {
  const [, called = ""] = /\(planted: (.+)\)$/.exec(program.name) ?? [];
  return { mistake: called, program, finds, options: { ...departures, ...own } };
}

function every(program: Program<CssStage>, ...planted: readonly Planted[]): Proof {
  return { program, mistakes: planted.map(mistake) };
}

function bounded(delays: number, runs: number, program: Program<CssStage>, planted: Planted): Proof {
  return {
    program,
    within: [{ delays }, random(runs)],
    deep: [{ delays: delays + 1 }, random(2000)],
    mistakes: [mistake(planted)],
  };
}

const timed: CheckOptions = { deadlines: "expected" };

export const proofs: readonly Proof[] = [
  every(css.duringProbe("interruption"), [css.duringProbe("interruption", "published first"), "expectation"]),
  every(css.duringProbe("path event"), [css.duringProbe("path event", "published first"), "expectation"]),
  every(css.duringProbe("evaluation"), [css.duringProbe("evaluation", "published first"), "expectation"]),
  every(css.duringRemove("interruption"), [
    css.duringRemove("interruption", "not withdrawn"),
    "use-after-free",
  ]),
  every(css.duringRemove("path event"), [css.duringRemove("path event", "not withdrawn"), "use-after-free"]),
  every(
    css.duringRemove("evaluation"),
    [css.duringRemove("evaluation", "not withdrawn"), "use-after-free"],
    [css.duringRemove("evaluation", "not counted"), "use-after-free"],
  ),
  every(css.todoFromTwoSides(), [css.todoFromTwoSides("torn"), "expectation"]),
  { ...every(css.askedAgain(), [css.askedAgain("forgotten"), "expectation"]), options: timed },
  every(css.readWhileRemoved(), [css.readWhileRemoved("removed under the lock"), "sleep-in-atomic"]),
  bounded(2, 40, css.allAtOnce(), [css.allAtOnce("without the lock"), "data-race"]),
  bounded(2, 40, css.replacedWhileLeaving("unregister"), [
    css.replacedWhileLeaving("unregister", "dropped"),
    "expectation",
  ]),
  bounded(2, 40, css.replacedWhileLeaving("administrator"), [
    css.replacedWhileLeaving("administrator", "dropped"),
    "expectation",
  ]),
  bounded(2, 40, css.overflow(), [css.overflow("silent"), "expectation"]),
  bounded(2, 40, css.stopped(), [css.stopped("does not wait"), "expectation"]),
];
