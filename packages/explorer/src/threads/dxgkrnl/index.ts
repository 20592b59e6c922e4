/** What was argued about dxgkrnl, and what its code leaves to be argued about, as programs. */
import type { Dispute } from "../dispute.js";
import { asyncFlag } from "./global-state/async-flag.js";
import { crossDeviceObject } from "./global-state/cross-device-object.js";
import { equalLuids } from "./global-state/equal-luids.js";
import { removeStallsOther } from "./global-state/remove-stalls-other.js";
import { secondGlobalChannel } from "./global-state/second-global-channel.js";
import { sharedWindow } from "./global-state/shared-window.js";
import { stateCounter } from "./global-state/state-counter.js";
import { unbindWithOpenFile } from "./global-state/unbind-with-open-file.js";
import { olderSecond, secondFunction } from "./global-state/version.js";
import { channelDestroyOrder } from "./lifetime/channel-destroy-order.js";
import { closeAgainstRemove } from "./lifetime/close-against-remove.js";
import { doubleOpen, visibleBeforeComplete } from "./lifetime/double-create.js";
import { fenceWaiters } from "./lifetime/fence-waiters.js";
import { forkedRelease } from "./lifetime/fork.js";
import { handleAba, handleReuse } from "./lifetime/handle-reuse.js";
import { signalAfterExit, stackEventRemoval } from "./lifetime/host-events.js";
import { killedWaiter } from "./lifetime/killed-waiter.js";
import { lastClose } from "./lifetime/last-close.js";
import { publishedDescriptor } from "./lifetime/published-descriptor.js";
import { sharedResource } from "./lifetime/shared-resource.js";
import { flushWithoutLock, stopWindow } from "./lifetime/stop-window.js";
import { allOrders } from "./rendezvous/all-orders.js";
import { channelComesBack, channelGoneBefore } from "./rendezvous/channel-comes-back.js";
import { deferAfterSideEffects } from "./rendezvous/defer-after-side-effects.js";
import { linkedChannel } from "./rendezvous/linked-channel.js";
import { lostRetry } from "./rendezvous/lost-retry.js";
import { openFailsOnce } from "./rendezvous/open-fails-once.js";
import { rescindUnderRequest } from "./rendezvous/rescind-under-request.js";
import { openBeforeAssignment, visibleBeforeUsable } from "./rendezvous/visible-before-usable.js";
import { biggerArgument } from "./versions/bigger-argument.js";
import { hostVersions } from "./versions/host-versions.js";
import { luidReuse } from "./versions/luid-reuse.js";
import { resumeOnOlderHost } from "./versions/resume-on-older-host.js";
import { twoRegisters } from "./versions/two-registers.js";

export const disputes: readonly Dispute[] = [
  secondFunction,
  olderSecond,
  asyncFlag,
  stateCounter,
  removeStallsOther,
  secondGlobalChannel,
  sharedWindow,
  equalLuids,
  unbindWithOpenFile,
  crossDeviceObject,
  allOrders,
  visibleBeforeUsable,
  openBeforeAssignment,
  lostRetry,
  openFailsOnce,
  channelComesBack,
  channelGoneBefore,
  deferAfterSideEffects,
  linkedChannel,
  rescindUnderRequest,
  doubleOpen,
  visibleBeforeComplete,
  stopWindow,
  channelDestroyOrder,
  killedWaiter,
  fenceWaiters,
  closeAgainstRemove,
  flushWithoutLock,
  handleReuse,
  handleAba,
  stackEventRemoval,
  publishedDescriptor,
  forkedRelease,
  signalAfterExit,
  lastClose,
  sharedResource,
  hostVersions,
  resumeOnOlderHost,
  luidReuse,
  twoRegisters,
  biggerArgument,
];
