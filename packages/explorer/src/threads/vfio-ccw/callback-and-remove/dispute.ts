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
import { safe, unsafe, where } from "../variants.js";
import { interruptAndRemove, lateInterruptAndRemove, pathEventAndRemove } from "./programs.js";

const unprotected: Design = {
  ...counted,
  name: `${counted.name}, which nothing protects until it is taken`,
  callbacksHold: "a registration reference, taken in a second step",
};

export const callbackAndRemove: Dispute = {
  id: "D5.3",
  thread: "vfio-ccw",
  title: "A callback while the mdev is removed",
  argued:
    "Pointers cross between what the subchannel owns and what the mdev owns; Jason Gunthorpe could not convince himself " +
    "that the callbacks can't come too late.",
  found:
    "They can: whoever has loaded the pointer uses freed memory, in every design but the embedded one, whose struct stays, " +
    "unless the pointer is cleared under the lock that the callback holds, or the callback counts as a user, with pointer " +
    "and count protected together: a count taken on a loaded pointer is taken on freed memory. The interrupt " +
    "is the exception: close has disabled the subchannel under that lock, so one can come only from a device that has " +
    "ignored the clear.",
  variants: [
    ...where("path event", [
      ...unsafe(pathEventAndRemove, "use-after-free", linked, inMdevProbe, parented, unprotected),
      ...safe(pathEventAndRemove, embedded, merged, counted, ruled),
    ]),
    ...where(
      "interrupt",
      safe(interruptAndRemove, embedded, merged, linked, inMdevProbe, counted, parented, ruled),
    ),
    ...where("interrupt of a device that ignores the clear", [
      ...unsafe(lateInterruptAndRemove, "use-after-free", linked, inMdevProbe, parented),
      ...safe(lateInterruptAndRemove, embedded, merged, counted, ruled),
    ]),
  ],
};
