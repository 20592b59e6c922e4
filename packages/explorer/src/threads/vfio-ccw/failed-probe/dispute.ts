import type { Dispute } from "../../dispute.js";
import { counted, embedded, inMdevProbe, linked, merged, parented, ruled } from "../parts/designs.js";
import { safe, unsafe } from "../variants.js";
import { failedProbe } from "./program.js";

export const probeThatFails: Dispute = {
  id: "D5.8",
  thread: "vfio-ccw",
  title: "The mdev's probe fails after the callbacks could find its struct",
  argued:
    "Allocating in the mdev's probe makes the lifetime clear, as long as probe publishes nothing that it takes back.",
  found:
    "It does: the pointer is set before registering, which may fail, and a path event that came in between uses what the " +
    "unwinding frees. Callbacks that need a registration can't get one; clearing under the lock waits for them.",
  variants: [
    ...unsafe(failedProbe, "use-after-free", linked, inMdevProbe, parented),
    ...safe(failedProbe, embedded, merged, counted, ruled),
  ],
};
