import { setImmediate } from "node:timers";
import { type Clock, platformClock } from "../clock.js";

/** What carriers need from the platform beside memory and sockets; injected, so that tests decide when things happen. */
export interface CarrierRuntime {
  readonly clock: Clock;
  /** Calls `fire` once, soon, from the event loop, never synchronously. Keeps the process alive until then. */
  defer(fire: () => void): void;
  /** Blocks this thread for `ms` (fractions allowed). */
  nap(ms: number): void;
  /** Keeps the process alive until the returned function is called. */
  keepAlive(): () => void;
}

const keepAlivePeriodMs = 2 ** 30;

/** One is enough for a process, but each owner may make its own. */
export function createPlatformRuntime(): CarrierRuntime {
  const napper = new Int32Array(new SharedArrayBuffer(4));
  return {
    clock: platformClock,
    defer: (fire) => void setImmediate(fire),
    nap: (ms) => void Atomics.wait(napper, 0, 0, ms),
    keepAlive() {
      const timer = setInterval(() => {}, keepAlivePeriodMs);
      return () => clearInterval(timer);
    },
  };
}
