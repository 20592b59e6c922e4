import type { Dispute } from "../../dispute.js";
import { parented, ruled } from "../parts/designs.js";
import { twoRequests } from "./program.js";

export const twoRequestsAtOnce: Dispute = {
  id: "H6",
  thread: "vfio-ccw",
  title: "Two requests about one subchannel",
  argued:
    "What the channel subsystem is to do about a subchannel is one field, larger requests override, and whoever asks is to " +
    "hold the subchannel's lock. A close that fails asks without.",
  found:
    'A path event that looked before and writes after turns "unregister" into "evaluate". With the lock neither is lost.',
  variants: [
    {
      name: parented.name,
      program: twoRequests("not held"),
      expected: "unsafe",
      finds: "expectation",
      options: { ignore: ["data-race"] },
    },
    {
      name: `${parented.name}; the field as memory`,
      program: twoRequests("not held"),
      expected: "unsafe",
      finds: "data-race",
    },
    { name: ruled.name, program: twoRequests("held"), expected: "safe" },
  ],
};
