import type { Dispute } from "../../dispute.js";
import { embedded, inMdevProbe, linked, merged, parented, ruled } from "../parts/designs.js";
import { safe, unsafe, where } from "../variants.js";
import { reportAndClose, reportAndUnbind } from "./programs.js";

export const pathReports: Dispute = {
  id: "D5.11",
  thread: "vfio-ccw",
  title: "A path goes offline while its region or its list goes",
  argued:
    "Reports about paths are listed for the guest, who reads them through a region. The region ends with close, the list " +
    "with the struct or, in 2021, before the mdev is removed; whether a report can come too late was not settled.",
  found:
    "Not for the region: no callback reaches it, and who reads it keeps it open. It can for the list: one that comes after " +
    "the list was emptied stays for ever, or lands in the freed struct. With the list ended by the release, and the " +
    "release after the last callback, both are gone.",
  variants: [
    ...where("unbind", [
      ...unsafe(reportAndUnbind, "leak", embedded, linked),
      ...unsafe(reportAndUnbind, "use-after-free", merged, inMdevProbe, parented),
      ...safe(reportAndUnbind, ruled),
    ]),
    ...where("close", safe(reportAndClose, embedded, merged, inMdevProbe, parented, ruled)),
  ],
};
