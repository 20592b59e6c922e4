/** What is proved of the mdev bus, how far, and which mistakes are found. */
import type { CheckOptions, FailureKind, Method, Mistake, Program, Proof } from "parhelion-explorer";
import * as mdev from "./mdev.test.fixture.js";
import * as binding from "./mdev-binding.test.fixture.js";
import * as outside from "./mdev-outside.test.fixture.js";
import type { MdevStage } from "./mdev-stage.test.fixture.js";

const random = (runs: number): Method => ({ random: { runs, seed: 1 } });

type Planted = readonly [program: Program<MdevStage>, finds: FailureKind];

/** It is called as at the end of its program's name. */
function mistake([program, finds]: Planted): Mistake {
  const [, called = ""] = /\(planted: (.+)\)$/.exec(program.name) ?? [];
  return { mistake: called, program, finds, options: { method: { delays: 2 } } };
}

function every(program: Program<MdevStage>, planted: Planted): Proof {
  return { program, mistakes: [mistake(planted)] };
}

function bounded(program: Program<MdevStage>, planted: Planted): Proof {
  return {
    program,
    within: [{ delays: 2 }, random(20)],
    mistakes: [mistake(planted)],
  };
}

const hasty: CheckOptions = { deadlines: "expected", anyTime: "timers and deadlines" };

export const proofs: readonly Proof[] = [
  bounded(mdev.createAndUnregister("method"), [
    mdev.createAndUnregister("method", "create waits"),
    "deadlock",
  ]),
  bounded(mdev.createAndUnregister("file"), [mdev.createAndUnregister("file", "create waits"), "deadlock"]),
  every(mdev.removeAndUnregister("method"), [
    mdev.removeAndUnregister("method", "unregister does not wait"),
    "leak",
  ]),
  bounded(mdev.removeAndUnregister("file"), [mdev.removeAndUnregister("file", "remove waits"), "deadlock"]),
  every(mdev.twoRemoves(), [mdev.twoRemoves("the file stays"), "deadlock"]),
  every(mdev.earlyRemove(), [mdev.earlyRemove("removes itself first"), "expectation"]),
  every(mdev.removeOpen("somebody else"), [mdev.removeOpen("somebody else", "remove waits"), "deadlock"]),
  every(mdev.removeOpen("its user"), [mdev.removeOpen("its user", "remove waits"), "deadlock"]),
  bounded(binding.unbound(), [binding.unbound("the bus looks for drivers"), "expectation"]),
  bounded(binding.useAndRemove(), [binding.useAndRemove("nothing matches"), "expectation"]),
  bounded(binding.bindAndCreate(), [binding.bindAndCreate("active or not"), "expectation"]),
  bounded(mdev.sameUuid(), [mdev.sameUuid("a list for each parent"), "expectation"]),
  every(mdev.noMemory(), [mdev.noMemory("what was taken stays"), "expectation"]),
  every(mdev.lateReference(), [mdev.lateReference("freed when unregistered"), "use-after-free"]),
  bounded(binding.probeRefuses(), [binding.probeRefuses("stays without a driver"), "expectation"]),
  every(mdev.advisory(), [mdev.advisory("looks, then takes"), "expectation"]),
  bounded(binding.driverUnload(), [binding.driverUnload("remove waits"), "deadlock"]),
  bounded(outside.removedFromOutside("created"), [
    outside.removedFromOutside("created", "not heard of"),
    "deadlock",
  ]),
  bounded(outside.removedFromOutside("removed"), [
    outside.removedFromOutside("removed", "not heard of"),
    "deadlock",
  ]),
  bounded(outside.removedFromOutside("unregistered"), [
    outside.removedFromOutside("unregistered", "not heard of"),
    "deadlock",
  ]),
  bounded(outside.useAndUnregister(), [outside.useAndUnregister("no reference"), "use-after-free"]),
  bounded(outside.twoUses(), [outside.twoUses("calls the drivers itself"), "invariant"]),
  bounded(outside.parentGoes("its driver is unbound"), [
    outside.parentGoes("its driver is unbound", "does not wait"),
    "expectation",
  ]),
  bounded(outside.parentGoes("it is removed"), [
    outside.parentGoes("it is removed", "does not wait"),
    "expectation",
  ]),
  {
    ...every(outside.severalGo(), [outside.severalGo("freed when unregistered"), "use-after-free"]),
    within: [random(100)],
  },
  {
    ...every(outside.hastyCreate(), [outside.hastyCreate("goes on"), "expectation"]),
    options: hasty,
    within: [{ delays: 2 }],
  },
];
