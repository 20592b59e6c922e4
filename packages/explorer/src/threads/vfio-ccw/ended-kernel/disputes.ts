/** What is left in the design that the kernel ended with, where it is one of the thread's questions again. */
import type { Dispute } from "../../dispute.js";
import { eventAndCssProbe, eventAndCssRemove } from "../before-and-after-the-driver-data/programs.js";
import { pathEventAndRemove } from "../callback-and-remove/programs.js";
import { closeAndWork } from "../close-and-work/program.js";
import { parented, ruled } from "../parts/designs.js";
import { queuedWork } from "../queued-work/program.js";
import { userWho } from "../user-who-stays/program.js";
import { safe, unsafe, where } from "../variants.js";
import { eventAndRemove } from "./event-and-remove.js";
import { freedTwice } from "./freed-twice.js";

const thread = "vfio-ccw";

export const noParent: Dispute = {
  id: "H1",
  thread,
  title: "No parent",
  argued:
    "The callbacks ask whether the parent has a private, and never whether the subchannel has a parent.",
  found:
    "Between the bus naming the driver and probe setting the parent, and again at the end, there is none.",
  variants: [
    ...where("css probe", [
      ...unsafe(eventAndCssProbe, "exception", parented),
      ...safe(eventAndCssProbe, ruled),
    ]),
    ...where("css remove", [
      ...unsafe(eventAndCssRemove, "use-after-free", parented),
      ...safe(eventAndCssRemove, ruled),
    ]),
  ],
};

export const loadedThenFreed: Dispute = {
  id: "H2",
  thread,
  title: "A private that was loaded and then freed",
  argued:
    "The pointer to the private is read without a lock that its clearing takes, and without a reference.",
  found: "A path event, and an event of the subchannel, use it after the mdev's remove has freed it.",
  variants: [
    ...where("path event", [
      ...unsafe(pathEventAndRemove, "use-after-free", parented),
      ...safe(pathEventAndRemove, ruled),
    ]),
    ...where("event of a device that is gone", [
      ...unsafe(eventAndRemove, "use-after-free", parented),
      ...safe(eventAndRemove, ruled),
    ]),
  ],
};

export const workLeft: Dispute = {
  id: "H3",
  thread,
  title: "Work that nobody cancels",
  argued: "Work items are flushed only when closing the device had to quiesce it.",
  found: "One that is queued when close finds nothing to wait for runs on freed memory.",
  variants: [...unsafe(queuedWork, "use-after-free", parented), ...safe(queuedWork, ruled)],
};

export const userHolds: Dispute = {
  id: "H4",
  thread,
  title: "The channel subsystem waits for a user",
  argued: "A device that is gone is unregistered from the queue that evaluates all subchannels.",
  found: "That queue stands still until the user closes; the rule needs a user who does.",
  variants: [
    ...where("a user who never closes", unsafe(userWho("stays"), "deadlock", parented)),
    ...where("a user who closes when asked", safe(userWho("closes when asked"), ruled)),
  ],
};

export const endedTwice: Dispute = {
  id: "H5",
  thread,
  title: "A channel program that ends twice",
  argued: "close and the work after an interrupt both end the channel program, and both write the state.",
  found: "They free it twice, and leave a closed device idle, which the next open takes for fatal.",
  variants: [
    ...where("the state", [...unsafe(closeAndWork, "expectation", parented), ...safe(closeAndWork, ruled)]),
    ...where("the channel program", [
      ...unsafe(freedTwice, "double-free", parented),
      ...safe(freedTwice, ruled),
    ]),
  ],
};
