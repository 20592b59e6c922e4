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
import { safe, unsafe, where } from "../variants.js";
import { eventsAtOnce, writeAndReset } from "./program.js";

const eachAlone: Design = {
  ...ruled,
  name: "the rule, with the lock let go between the events of a reset",
  events: "one at a time",
};

const asTheyAre = [embedded, merged, linked, inMdevProbe, counted, parented];

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
    "event does for a channel program beside a reset. It does not for two resets: each is a close and an open, and the other " +
    "may come in between. A reset has to be one hold.",
  variants: [
    ...where("two resets", [
      ...unsafe(eventsAtOnce, "expectation", ...asTheyAre, eachAlone),
      race,
      ...safe(eventsAtOnce, ruled),
    ]),
    ...where("a write and a reset", [
      ...unsafe(writeAndReset, "expectation", ...asTheyAre),
      ...safe(writeAndReset, eachAlone, ruled),
    ]),
  ],
};
