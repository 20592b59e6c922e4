/** device_bind_driver against device_driver_attach, April 2021. */
import type { Dispute } from "../dispute.js";
import { boundTwice } from "./bound-twice/dispute.js";
import { sixCallers } from "./callers/dispute.js";
import { dsaEngines } from "./dsa-engines/dispute.js";
import { failedProbe } from "./failed-probe/dispute.js";
import { fromItsOwnProbe } from "./from-its-own-probe/dispute.js";
import { leavingDriver } from "./leaving-driver/dispute.js";
import { overrideMeanwhile } from "./override-meanwhile/dispute.js";
import { overwritten } from "./overwritten/dispute.js";
import { removedDevice } from "./removed-device/dispute.js";
import { sameDriverTwice } from "./same-driver-twice/dispute.js";
import { unbindTheOther } from "./unbind-the-other/dispute.js";
import { withoutTheLock } from "./without-the-lock/dispute.js";

export const disputes: readonly Dispute[] = [
  withoutTheLock,
  boundTwice,
  overwritten,
  fromItsOwnProbe,
  unbindTheOther,
  overrideMeanwhile,
  failedProbe,
  leavingDriver,
  sameDriverTwice,
  removedDevice,
  ...sixCallers,
  dsaEngines,
];
