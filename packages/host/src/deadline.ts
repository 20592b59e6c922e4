/** A bound for what the operating system does. What the model waits for has its bound in the wait itself. */
import type { Clock } from "parhelion-core";

/** Whether `promise` settled, either way, within `ms`. */
export function settledWithin(clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const timer = clock.setTimer(ms, () => resolve(false));
    const settled = (): void => {
      timer.cancel();
      resolve(true);
    };
    promise.then(settled, settled);
  });
}
