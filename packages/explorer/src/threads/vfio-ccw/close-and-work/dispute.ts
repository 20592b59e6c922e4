import type { Dispute } from "../../dispute.js";
import { counted, embedded, inMdevProbe, linked, merged, parented, ruled } from "../parts/designs.js";
import { safe, unsafe } from "../variants.js";
import { closeAndWork } from "./program.js";

export const closeAndIoWork: Dispute = {
  id: "D5.9",
  thread: "vfio-ccw",
  title: "close, and the work that ends a channel program",
  argued: "Every owner of the structs was discussed; the state machine in them was not.",
  found:
    'The work reads "pending", close disables without waiting and says "standby", the work then says "idle": the next ' +
    "open meets a state it takes for fatal, and the subchannel goes. No owner helps, only a lock around each event.",
  variants: [
    ...unsafe(closeAndWork, "expectation", embedded, merged, linked, inMdevProbe, counted, parented),
    ...safe(closeAndWork, ruled),
  ],
};
