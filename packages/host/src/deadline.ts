/** Every wait of the host has a bound; this is how a promise gets one. */
import type { Clock } from "parhelion-core";

/**
 * What `promise` settles with, or, when `ms` pass first, what `late` throws or returns.
 * The promise itself is not cancelled: its owner does that in `late`.
 */
export function withDeadline<T>(
  clock: Clock,
  ms: number,
  promise: Promise<T>,
  late: () => T | Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = clock.setTimer(ms, () => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    });
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}

/** Whether `promise` settled, either way, within `ms`. */
export function settledWithin(clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return withDeadline(clock, ms, settled, () => false);
}
