import type { Dispute } from "../../dispute.js";
import { byHand, onTheCore, openWhileUnloading } from "./programs.js";

export const driverUnload: Dispute = {
  id: "D7.13",
  thread: "mdev",
  title: "The driver of live mdevs is unloaded",
  argued:
    "Unregistering the driver unbinds its mdevs; create may be binding another one at that moment, and the module is held " +
    "only while a file is open.",
  found:
    "By hand a probe runs in a module that has gone. The core's attach asks under the device's lock whether the driver is " +
    "still there, so every probe has its remove. A user who never closes holds the unloading up, as with remove.",
  variants: [
    { name: "bound by hand", program: byHand, expected: "unsafe", finds: "use-after-free" },
    { name: "bound by attach", program: onTheCore, expected: "safe" },
    {
      name: "a user who never closes",
      program: openWhileUnloading("never closes"),
      expected: "unsafe",
      finds: "deadlock",
    },
    { name: "a user who closes", program: openWhileUnloading("closes"), expected: "safe" },
  ],
};
