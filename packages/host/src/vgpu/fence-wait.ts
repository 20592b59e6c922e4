/** Waits for fences on behalf of a processor. Each ends: by the fences, by its timeout, or with a device or fence in it. */
import { Completion, isKernelError, type Runtime } from "parhelion-core";
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

/** On whose behalf something is waited for. */
export interface Waiter {
  readonly runtime: Runtime;
  readonly limits: HostLimits;
  readonly slice: { readonly uuid: string };
  readonly process: GuestProcess;
}

/** How long the engine may take to read what it finds in a queue's ring, in ms; less than any guest's patience. */
const submitMs = 20_000;

/** @throws CommandError TIMEOUT, DEVICE_REMOVED, INVALID_HANDLE, INVALID_PARAMETER, QUOTA_EXCEEDED; ControlError */
export async function waitForFences(waiter: Waiter, wait: FenceWait): Promise<void> {
  const targets = pairFences(waiter.process, wait);
  const most = waiter.limits.fenceWaitMs;
  const ms = Math.min(most, wait.timeoutMs === 0 ? most : wait.timeoutMs);
  const late = `the fences did not reach their values within ${ms} ms`;
  const objects = targets.map(({ object }) => object);
  await bounded<void>(waiter, objects, ms, late, (over) => {
    let missing = (wait.flags & waitAny) !== 0 ? 1 : targets.length;
    const answer = () => ({
      value: () => {
        missing -= 1;
        if (missing === 0) over.completeAll();
      },
      error: (error: unknown) => over.fail(error),
    });
    return targets.map(({ object, value }) => object.fence.watch(value, answer()));
  });
}

/**
 * @returns the value of the queue's progress fence to wait for
 * @throws CommandError TIMEOUT, DEVICE_REMOVED, INVALID_PARAMETER, QUOTA_EXCEEDED; ControlError; EngineRefusedError
 */
export async function submitToQueue(waiter: Waiter, handle: number): Promise<bigint> {
  const queue = waiter.process.get("hwqueue", handle);
  queue.context.device.assertActive();
  const object = waiter.process.get("syncobject", queue.fenceHandle);
  const ms = Math.min(waiter.limits.fenceWaitMs, submitMs);
  const late = `the engine has not read the queue within ${ms} ms: its GPU is far behind; ask again`;
  return bounded<bigint>(waiter, [object], ms, late, (over) => [
    queue.progress.submit({
      value: (value) => over.completeAll(BigInt(value)),
      error: (error) => over.fail(error),
    }),
  ]);
}

/**
 * One wait of the process: counted, and ended by the deadline or with one of the fences.
 * @param begin sees to it that `over` is told. @returns what gives that up
 */
async function bounded<T>(
  { runtime, limits, slice, process }: Waiter,
  objects: readonly VgpuSyncObject[],
  ms: number,
  late: string,
  begin: (over: Completion<T>) => readonly (() => void)[],
): Promise<T> {
  charge(limits, slice.uuid, "waitsPerProcess", process.waits);
  process.access("write");
  process.waits += 1;
  const over = new Completion<T>(runtime, `wait of process ${process.number}`);
  const deadline = runtime.clock.now() + ms;
  const failed = (reason: Error): void => over.fail(reason);
  const ends: (() => void)[] = [];
  try {
    for (const { life, device } of objects) ends.push(life.onEnd(failed), device.life.onEnd(failed));
    ends.push(...begin(over));
    return await over.wait({ deadline });
  } catch (error) {
    throw isKernelError(error, "ETIMEDOUT") ? new CommandError(NtStatus.TIMEOUT, late) : error;
  } finally {
    for (const end of ends) end();
    process.access("write");
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
