/** D4.1: hosts of different age behind two functions, the oldest without a version register, one newer than the guest. */
import type { Dispute } from "../../dispute.js";
import { versionProgram } from "../global-state/version.js";

export const hostVersions: Dispute = {
  id: "D4.1",
  thread: "dxgkrnl",
  title: "Hosts of different age behind the functions of one machine",
  argued:
    "The versions are of the protocol between guest and host, said the author, and are raised when it changes; " +
    "the reviewer wanted a protocol that is negotiated and does not break.",
  found:
    "A version is a fact about one channel: kept per function every mix of hosts works, from one that knows no " +
    "version register to one that is newer than the guest. Kept once, a mix fails as soon as the newer host is " +
    "probed first.",
  variants: [
    {
      name: "as posted: one version, hosts without a register and with 40",
      program: versionProgram("first function decides for all", [0, 40]),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "negotiated by each function, hosts without a register and with 40",
      program: versionProgram("each function decides for itself", [0, 40]),
      expected: "safe",
    },
    {
      name: "negotiated by each function, hosts with 27 and 46",
      program: versionProgram("each function decides for itself", [27, 46]),
      expected: "safe",
    },
  ],
};
