/** Creating and removing mediated devices, and unregistering what they belong to. */
import type { Dispute } from "../dispute.js";
import { advisory } from "./advisory-count/dispute.js";
import { createWhileUnregistering } from "./create-and-unregister/dispute.js";
import { driverUnload } from "./driver-unload/dispute.js";
import { tooEarly } from "./early-remove/dispute.js";
import { probeRefuses } from "./failed-probe/dispute.js";
import { lateReferences } from "./late-reference/dispute.js";
import { counterKept } from "./no-memory/dispute.js";
import { openFile } from "./open-file/dispute.js";
import { ownFile } from "./own-file/dispute.js";
import { removeWhileUnregistering } from "./remove-and-unregister/dispute.js";
import { oneUuidTwice } from "./same-uuid/dispute.js";
import { twoRemovesAtOnce } from "./two-removes/dispute.js";
import { unbound } from "./unbound/dispute.js";

export const disputes: readonly Dispute[] = [
  createWhileUnregistering,
  removeWhileUnregistering,
  twoRemovesAtOnce,
  tooEarly,
  openFile,
  ownFile,
  unbound,
  oneUuidTwice,
  counterKept,
  lateReferences,
  probeRefuses,
  advisory,
  driverUnload,
];
