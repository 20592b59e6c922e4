import type { Dispute, Variant } from "../../dispute.js";
import {
  counted,
  type Design,
  embedded,
  inMdevProbe,
  linked,
  merged,
  parented,
  ruled,
} from "../parts/designs.js";
import { safe, unsafe } from "../variants.js";
import { eventsAtOnce } from "./program.js";

const eachAlone: Design = {
  ...ruled,
  name: "the rule, with the lock let go between the events of a reset",
  events: "one at a time",
};

/** The race itself: what the fields look like to the memory model. */
const race: Variant = {
  name: `${parented.name}; the state as memory`,
  program: eventsAtOnce(parented),
  expected: "unsafe",
  finds: "data-race",
};

export const eventsAtOnceDispute: Dispute = {
  id: "D5.10",
  thread: "vfio-ccw",
  title: "Events of the state machine at once",
  argued: "A guest's unmap, its reset, its channel programs and interrupts all drive one state machine.",
  found:
    "No lock serialises them, so a second close meets the first one's standby and takes it for fatal. A lock around each " +
    "event is not enough: a reset is a close and an open, and another may come in between them. It has to be one hold.",
  variants: [
    ...unsafe(
      eventsAtOnce,
      "expectation",
      embedded,
      merged,
      linked,
      inMdevProbe,
      counted,
      parented,
      eachAlone,
    ),
    race,
    ...safe(eventsAtOnce, ruled),
  ],
};
