import type { Dispute } from "../../dispute.js";
import { counted, embedded, inMdevProbe, linked, parented, revoking, ruled } from "../parts/designs.js";
import { safe, unsafe, where } from "../variants.js";
import { userWho } from "./program.js";

export const userWhoStays: Dispute = {
  id: "D5.6",
  thread: "vfio-ccw",
  title: "The device is gone and its user stays",
  argued:
    "Removal waits until every file is closed; a device that is found gone asks for its own removal from the channel " +
    "subsystem's queue.",
  found:
    "No design of the thread ends without the user's good will, the rule included: the queue that serves every subchannel " +
    "waits for one user. With a user who closes when asked all of them end. Only revoking open files removes the " +
    "user from the proof: the removal waits for nobody, the file answers ENODEV and holds memory alone.",
  variants: [
    ...where("a user who never closes", [
      ...unsafe(userWho("stays"), "deadlock", embedded, linked, inMdevProbe, counted, parented, ruled),
      ...safe(userWho("stays"), revoking),
    ]),
    ...where("a user who closes when asked", [
      ...safe(userWho("closes when asked"), embedded, parented, ruled, revoking),
    ]),
  ],
};
