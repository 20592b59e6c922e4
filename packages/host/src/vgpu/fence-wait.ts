/** Waits for fences on behalf of a processor. Each ends: by the fences, by its timeout, or with a device or fence in it. */
import type { Clock } from "parhelion-core";
import { NtStatus } from "parhelion-protocol";
import type { HostLimits } from "../limits.js";
import { CommandError, charge } from "./command-error.js";
import type { GuestProcess } from "./guest-process.js";
import type { VgpuSyncObject } from "./vgpu-device.js";

/** d3dddi_waitforsynchronizationobject_flags: the first fence suffices. */
const waitAny = 1;

export interface FenceWait {
  readonly objects: readonly number[];
  readonly fenceValues: readonly bigint[];
  readonly flags: number;
  /** 0: the host's own limit. */
  readonly timeoutMs: number;
}

/** @throws CommandError TIMEOUT, DEVICE_REMOVED, INVALID_HANDLE, INVALID_PARAMETER, QUOTA_EXCEEDED; ControlError */
export async function waitForFences(
  clock: Clock,
  limits: HostLimits,
  slice: string,
  process: GuestProcess,
  wait: FenceWait,
): Promise<void> {
  const targets = pairFences(process, wait);
  charge(limits, slice, "waitsPerProcess", process.waits);
  process.waits += 1;
  const own = new AbortController();
  const ms = Math.min(limits.fenceWaitMs, wait.timeoutMs === 0 ? limits.fenceWaitMs : wait.timeoutMs);
  const timer = clock.setTimer(ms, () =>
    own.abort(new CommandError(NtStatus.TIMEOUT, `the fences did not reach their values within ${ms} ms`)),
  );
  const signal = AbortSignal.any([
    own.signal,
    ...targets.flatMap(({ object }) => [object.life.signal, object.device.life]),
  ]);
  try {
    const reached = targets.map(({ object, value }) => object.fence.reach(value, signal));
    await ((wait.flags & waitAny) !== 0 ? Promise.race(reached) : Promise.all(reached));
  } finally {
    timer.cancel();
    // Ends what is left of an any-wait or of a failed one; nobody listens to it any more.
    own.abort(new CommandError(NtStatus.UNSUCCESSFUL, "the wait is over"));
    process.waits -= 1;
  }
}

/** @throws CommandError INVALID_PARAMETER, ControlError EBADF */
export function pairFences(
  process: GuestProcess,
  wait: Pick<FenceWait, "objects" | "fenceValues">,
): readonly { readonly object: VgpuSyncObject; readonly value: bigint }[] {
  const { objects, fenceValues } = wait;
  if (objects.length === 0 || objects.length !== fenceValues.length) {
    throw new CommandError(
      NtStatus.INVALID_PARAMETER,
      `${objects.length} fences and ${fenceValues.length} values: give one value for each of at least one fence`,
    );
  }
  return objects.map((handle, i) => {
    const object = process.get("syncobject", handle);
    object.device.assertActive();
    return { object, value: fenceValues[i] as bigint };
  });
}
