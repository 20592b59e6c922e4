/** device_bind_driver against device_driver_attach, April 2021. */
import type { Dispute } from "../dispute.js";
import { boundTwice } from "./bound-twice/dispute.js";
import { sixCallers } from "./callers/dispute.js";
import { deferredByHand } from "./deferred-by-hand/dispute.js";
import { dsaEngines } from "./dsa-engines/dispute.js";
import { failedGroup } from "./failed-group/dispute.js";
import { failedProbe } from "./failed-probe/dispute.js";
import { fromItsOwnProbe } from "./from-its-own-probe/dispute.js";
import { fromTheParentsFile } from "./from-the-parents-file/dispute.js";
import { leavingDriver } from "./leaving-driver/dispute.js";
import { overrideMeanwhile } from "./override-meanwhile/dispute.js";
import { overwritten } from "./overwritten/dispute.js";
import { removedDevice } from "./removed-device/dispute.js";
import { sameDriverTwice } from "./same-driver-twice/dispute.js";
import { supplierMakesRoom } from "./supplier-makes-room/dispute.js";
import { unbindTheOther } from "./unbind-the-other/dispute.js";
import { withoutItsSupplier } from "./without-its-supplier/dispute.js";
import { withoutTheLock } from "./without-the-lock/dispute.js";

export const disputes: readonly Dispute[] = [
  withoutTheLock,
  boundTwice,
  overwritten,
  withoutItsSupplier,
  fromItsOwnProbe,
  fromTheParentsFile,
  unbindTheOther,
  overrideMeanwhile,
  failedProbe,
  leavingDriver,
  deferredByHand,
  sameDriverTwice,
  removedDevice,
  failedGroup,
  supplierMakesRoom,
  ...sixCallers,
  dsaEngines,
];
