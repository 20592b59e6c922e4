import type { Dispute } from "../../dispute.js";
import { eventAndCssProbe } from "../before-and-after-the-driver-data/programs.js";
import { interruptWithoutMdev } from "../interrupt-without-mdev/program.js";
import { counted, embedded, inMdevProbe, parented, ruled } from "../parts/designs.js";
import { safe, unsafe, where } from "../variants.js";
import { eventsAllAlong, onlyWithAnMdev, stateOfTwoMasters } from "./programs.js";

export const withoutAnMdev: Dispute = {
  id: "D5",
  thread: "vfio-ccw",
  title: "Is anything concurrent while there is no mdev, and is it wrong?",
  argued:
    "Jason Gunthorpe put it as two cases: either nothing is concurrent without an mdev, and all was right before his " +
    "series, or something is, and it was wrong before as well. Nobody in the thread decided which.",
  found:
    "The second. Callbacks come without an mdev, and in three ways what they met was wrong: no driver data, an interrupt " +
    "that switched off what the next mdev needs, and a state that event and creation both set. Allocating with the mdev " +
    "ends these three and brings one of its own, the callback that outlives the mdev.",
  variants: [
    ...where(
      "a callback comes only with an mdev",
      unsafe(onlyWithAnMdev, "outside-window", embedded, parented),
    ),
    ...where("event while the css driver is bound", unsafe(eventAndCssProbe, "exception", embedded)),
    ...where("interrupt", unsafe(interruptWithoutMdev, "expectation", embedded)),
    ...where(
      "event and creation",
      unsafe(() => stateOfTwoMasters, "expectation", embedded),
    ),
    ...where("events all along", [
      ...unsafe(eventsAllAlong, "use-after-free", inMdevProbe, parented),
      ...safe(eventsAllAlong, counted, ruled),
    ]),
  ],
};
