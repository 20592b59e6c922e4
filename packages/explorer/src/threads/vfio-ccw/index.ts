/** Who owns the vfio device, and what may come when: vfio-ccw, April 2021 and after. */
import type { Dispute } from "../dispute.js";
import { beforeAndAfter } from "./before-and-after-the-driver-data/dispute.js";
import { callbackAndRemove } from "./callback-and-remove/dispute.js";
import { closeAndIoWork } from "./close-and-work/dispute.js";
import { removeWhileOpen } from "./css-remove-while-open/dispute.js";
import { droppedEventfd } from "./dropped-eventfd/dispute.js";
import { endedTwice, loadedThenFreed, noParent, userHolds, workLeft } from "./ended-kernel/disputes.js";
import { eventsAtOnceDispute } from "./events-at-once/dispute.js";
import { probeThatFails } from "./failed-probe/dispute.js";
import { interruptBefore } from "./interrupt-without-mdev/dispute.js";
import { lostEvaluation } from "./lost-evaluation/dispute.js";
import { oneSlot } from "./one-slot/dispute.js";
import { pathReports } from "./path-reports/dispute.js";
import { qdio } from "./qdio/dispute.js";
import { workAndRelease } from "./queued-work/dispute.js";
import { recreated } from "./recreate/dispute.js";
import { rule } from "./rule/dispute.js";
import { twoCreatesAtOnce } from "./two-creates/dispute.js";
import { twoReadersAtOnce } from "./two-readers/dispute.js";
import { twoRequestsAtOnce } from "./two-requests/dispute.js";
import { unpinning } from "./unpinning/dispute.js";
import { userWhoStays } from "./user-who-stays/dispute.js";
import { withoutAnMdev } from "./without-an-mdev/dispute.js";

export const disputes: readonly Dispute[] = [
  withoutAnMdev,
  recreated,
  interruptBefore,
  callbackAndRemove,
  workAndRelease,
  removeWhileOpen,
  userWhoStays,
  beforeAndAfter,
  probeThatFails,
  closeAndIoWork,
  eventsAtOnceDispute,
  pathReports,
  qdio,
  twoCreatesAtOnce,
  lostEvaluation,
  rule,
  noParent,
  loadedThenFreed,
  workLeft,
  userHolds,
  endedTwice,
  twoRequestsAtOnce,
  unpinning,
  twoReadersAtOnce,
  oneSlot,
  droppedEventfd,
];
