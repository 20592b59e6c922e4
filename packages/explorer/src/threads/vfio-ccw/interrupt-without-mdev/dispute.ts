import type { Dispute } from "../../dispute.js";
import { counted, embedded, inMdevProbe, linked, merged, parented, ruled } from "../parts/designs.js";
import { safe, unsafe } from "../variants.js";
import { interruptWithoutMdev } from "./program.js";

export const interruptBefore: Dispute = {
  id: "D5.2",
  thread: "vfio-ccw",
  title: "An interrupt before there is an mdev",
  argued:
    "The subchannel was enabled when the css driver was bound, and nobody remembered why. Enabling should move to where " +
    "somebody wants the interrupts.",
  found:
    "An unsolicited interrupt reaches a state machine that has no user and switches the subchannel off; the mdev that is " +
    "created then can't start anything. With enabling moved to the mdev's probe or to open no such interrupt exists.",
  variants: [
    ...unsafe(interruptWithoutMdev, "expectation", embedded, linked),
    ...safe(interruptWithoutMdev, merged, inMdevProbe, counted, parented, ruled),
  ],
};
