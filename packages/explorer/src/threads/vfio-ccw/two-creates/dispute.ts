import type { Dispute } from "../../dispute.js";
import { byAtomicCount, byPointer, twoCreates, underListLock } from "./programs.js";

const different = ["uuid 1", "uuid 2"] as const;

export const twoCreatesAtOnce: Dispute = {
  id: "D5.13",
  thread: "vfio-ccw",
  title: "Two creates at once",
  argued:
    "At most one mdev makes sense on a subchannel, so that the two can find each other by a single pointer (Cornelia Huck).",
  found:
    "The pointer tells them apart only if looking at it and setting it is one step. A count taken atomically, or under the " +
    "lock of the list, admits exactly one, and the list knows an equal uuid besides.",
  variants: [
    {
      name: "a pointer, looked at and then set",
      program: twoCreates(byPointer, different, "EUSERS"),
      expected: "unsafe",
      finds: "expectation",
      options: { ignore: ["data-race"] },
    },
    {
      name: "an atomic count (until 6.0)",
      program: twoCreates(byAtomicCount, different, "EUSERS"),
      expected: "safe",
    },
    {
      name: "a count under the list's lock (6.1)",
      program: twoCreates(underListLock, different, "EUSERS"),
      expected: "safe",
    },
    {
      name: "a count under the list's lock (6.1); both with one uuid",
      program: twoCreates(underListLock, ["uuid", "uuid"], "EEXIST"),
      expected: "safe",
    },
  ],
};
