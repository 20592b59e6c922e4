import type { Dispute } from "../../dispute.js";
import {
  counted,
  embedded,
  inMdevProbe,
  linked,
  merged,
  parented,
  ruled,
  waiting,
} from "../parts/designs.js";
import { safe, unsafe } from "../variants.js";
import { recreate } from "./program.js";

export const recreated: Dispute = {
  id: "D5.1",
  thread: "vfio-ccw",
  title: "A second mdev while a reference to the first lives",
  argued:
    "The css driver's struct lives as long as the subchannel, a vfio device as long as its last reference; Cornelia Huck " +
    "doubted that the one should be embedded in the other.",
  found:
    "Rightly: the second creation initialises a device that somebody still holds, and the late put ends the new one. " +
    "References that outlive unregistering came with 6.1, and so did the remedy: remove waits for the release. Every design " +
    "that allocates the device with the mdev needs no remedy.",
  variants: [
    ...unsafe(recreate, "use-after-free", embedded, merged),
    ...safe(recreate, waiting, linked, inMdevProbe, counted, parented, ruled),
  ],
};
