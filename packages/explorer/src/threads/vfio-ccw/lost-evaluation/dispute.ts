import type { Dispute } from "../../dispute.js";
import { notRegistered, todoPending } from "./programs.js";

export const lostEvaluation: Dispute = {
  id: "D5.14",
  thread: "vfio-ccw",
  title: "An event that the handler has no time for",
  argued:
    "The event handler answers EAGAIN when the subchannel is not registered or has work pending, and is then asked again. " +
    "Returning 0 without an mdev was one of the proposals for other cases.",
  found:
    "0 loses the event of a subchannel that is on its way out: the device that replaced it is never found. With work " +
    "pending 0 would do: that work has yet to look, and it looks after the report. EAGAIN is right in both.",
  variants: [
    { name: "not registered: EAGAIN (the kernel)", program: notRegistered("EAGAIN"), expected: "safe" },
    { name: "not registered: 0", program: notRegistered("0"), expected: "unsafe", finds: "expectation" },
    { name: "work pending: EAGAIN (the kernel)", program: todoPending("EAGAIN"), expected: "safe" },
    { name: "work pending: 0", program: todoPending("0"), expected: "safe" },
  ],
};
