import type { Dispute } from "../../dispute.js";
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
import { queuedWork } from "./program.js";

const flushing: Design = {
  ...ruled,
  name: "the rule, with close waiting for the work as before",
  quiesce: "waits for interrupt and work",
};

export const workAndRelease: Dispute = {
  id: "D5.4",
  thread: "vfio-ccw",
  title: "Work that the interrupt has left, and the release of what it works on",
  argued:
    "Who allocates with the mdev frees with the mdev; what an interrupt has queued before does not know of that.",
  found:
    "close flushes the queue only when it had to quiesce. If the interrupt was quick, close finds nothing to wait for, the " +
    "struct is freed and the work runs on it. A registration reference in the callback does not help, since the " +
    "callback is long over; cancelling the work after the pointer is cleared does. " +
    "close must no longer flush then: the work wants the lock under which close would wait for it.",
  variants: [
    ...unsafe(queuedWork, "use-after-free", linked, inMdevProbe, counted, parented),
    ...unsafe(queuedWork, "deadlock", flushing),
    ...safe(queuedWork, embedded, merged, ruled),
  ],
};
