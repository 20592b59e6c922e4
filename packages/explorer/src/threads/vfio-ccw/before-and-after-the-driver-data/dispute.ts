import type { Dispute } from "../../dispute.js";
import { counted, type Design, embedded, inMdevProbe, linked, parented, ruled } from "../parts/designs.js";
import { safe, unsafe, where } from "../variants.js";
import { eventAndCssProbe, eventAndCssRemove } from "./programs.js";

/** What a reader of the oops would add. */
const tested: Design = {
  ...parented,
  name: "as the kernel ended (6.2), with a test for NULL added",
  missingOuter: "expected",
};

export const beforeAndAfter: Dispute = {
  id: "D5.7",
  thread: "vfio-ccw",
  title: "A callback before the driver data is set, and after it is cleared",
  argued:
    "The bus says that there is a driver before it calls probe and until remove is over, and its callbacks go by that.",
  found:
    "Both gaps are real where the css driver has a struct of its own: the callback follows a pointer that is not there. " +
    "Where only the mdev's probe sets one, none is a case that the callbacks have anyway, and nothing breaks. A test for NULL closes the first gap and not the second, in which the parent is freed under the callback.",
  variants: [
    ...where("css probe", [
      ...unsafe(eventAndCssProbe, "exception", embedded, linked, parented),
      ...safe(eventAndCssProbe, inMdevProbe, counted, tested, ruled),
    ]),
    ...where("css remove", [
      ...unsafe(eventAndCssRemove, "exception", embedded),
      ...unsafe(eventAndCssRemove, "use-after-free", linked, parented, tested),
      ...safe(eventAndCssRemove, inMdevProbe, counted, ruled),
    ]),
  ],
};
