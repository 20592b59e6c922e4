/** What is proved of the machine's own subchannel, and which mistakes are found. */
import type { FailureKind, Program, Proof } from "parhelion-explorer";
import * as machine from "./machine.test.fixture.js";

type Make = (plant?: machine.Plant) => Program<machine.Stage>;

function every(make: Make, plant: machine.Plant, finds: FailureKind): Proof {
  return { program: make(), mistakes: [{ mistake: plant, program: make(plant), finds }] };
}

export const proofs: readonly Proof[] = [
  every(machine.clearedWhileItEnds, "presented later", "expectation"),
  every(machine.haltedWhileItEnds, "presented later", "expectation"),
  every(machine.haltedAndCleared, "presented later", "expectation"),
  every(machine.clearedTwice, "answered first", "expectation"),
  every(machine.calledWhileItStarts, "not held", "invariant"),
  every(machine.pathGoesMeanwhile, "presented later", "expectation"),
  every(machine.clearedWhileItStores, "answered first", "expectation"),
  every(machine.pulledMeanwhile, "presented later", "expectation"),
];
