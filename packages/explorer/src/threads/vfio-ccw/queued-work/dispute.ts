import type { Dispute } from "../../dispute.js";
import { counted, embedded, inMdevProbe, linked, merged, parented, ruled } from "../parts/designs.js";
import { safe, unsafe } from "../variants.js";
import { queuedWork } from "./program.js";

export const workAndRelease: Dispute = {
  id: "D5.4",
  thread: "vfio-ccw",
  title: "Work that the interrupt has left, and the release of what it works on",
  argued:
    "Who allocates with the mdev frees with the mdev; what an interrupt has queued before does not know of that.",
  found:
    "close flushes the queue only when it had to quiesce. If the interrupt was quick, close finds nothing to wait for, the " +
    "struct is freed and the work runs on it. A registration reference in the callback does not help, since the " +
    "callback is long over; cancelling the work after the pointer is cleared does.",
  variants: [
    ...unsafe(queuedWork, "use-after-free", linked, inMdevProbe, counted, parented),
    ...safe(queuedWork, embedded, merged, ruled),
  ],
};
