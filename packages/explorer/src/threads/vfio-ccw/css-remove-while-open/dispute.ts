import type { Dispute } from "../../dispute.js";
import { counted, embedded, inMdevProbe, linked, merged, parented, ruled } from "../parts/designs.js";
import { safe, unsafe } from "../variants.js";
import { cssRemoveWhileOpen } from "./program.js";

export const removeWhileOpen: Dispute = {
  id: "D5.5",
  thread: "vfio-ccw",
  title: "The subchannel is removed while the device is open",
  argued: "The css driver's remove quiesced the subchannel first and unregistered the mdev then.",
  found:
    "In between the user can reset, which enables the subchannel again, and start a channel program whose memory is about " +
    "to be freed. With the mdev removed first the quiesced subchannel has no user any more.",
  variants: [
    ...unsafe(cssRemoveWhileOpen, "expectation", embedded, linked),
    ...safe(cssRemoveWhileOpen, merged, inMdevProbe, counted, parented, ruled),
  ],
};
