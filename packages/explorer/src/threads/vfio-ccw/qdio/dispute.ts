import type { Dispute } from "../../dispute.js";
import { bindQdio } from "./programs.js";

export const qdio: Dispute = {
  id: "D5.12",
  thread: "vfio-ccw",
  title: "A QDIO subchannel, bound by hand",
  argued:
    "When everything moves to the mdev's probe, the test for QDIO should stay where it is, in the css driver's probe: " +
    "nobody else keeps a driver_override or a write to bind out.",
  found:
    "In probe, and before anything is registered there: then it is refused with ENODEV, however many try, and nothing is " +
    "left. Moved along with the rest the subchannel gets bound; moved below the registration the parent stays behind.",
  variants: [
    { name: "first thing in the css driver's probe", program: bindQdio("first in probe"), expected: "safe" },
    {
      name: "in the mdev's probe, with everything else",
      program: bindQdio("in the mdev's probe"),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "in the css driver's probe, below the parent's registration",
      program: bindQdio("after the parent is registered"),
      expected: "unsafe",
      finds: "expectation",
    },
  ],
};
