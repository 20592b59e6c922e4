/** What listeners are told, and when. */
import type { Dispute } from "../dispute.js";
import { announcedBeforeUsable } from "./announced-before-usable/dispute.js";
import { driverAnnouncedLate } from "./driver-announced-late/dispute.js";
import { failedProbeIsSilent } from "./failed-probe-is-silent/dispute.js";
import { lateAddByHand } from "./late-add/dispute.js";
import { numbersOutOfOrder } from "./numbers-out-of-order/dispute.js";
import { orderOfOneDevice } from "./order-of-one-device/dispute.js";

export const disputes: readonly Dispute[] = [
  orderOfOneDevice,
  driverAnnouncedLate,
  numbersOutOfOrder,
  failedProbeIsSilent,
  announcedBeforeUsable,
  lateAddByHand,
];
