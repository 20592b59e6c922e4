/** Time, injected; the same shape as the device model's clock. Nothing else here touches the platform's timers. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  now(): number;
  /** Calls `fire` once, no sooner than `ms` from now, never synchronously. */
  setTimer(ms: number, fire: () => void): ClockTimer;
}

export interface ClockTimer {
  cancel(): void;
}

/** Longer delays would overflow the platform's signed 32-bit timers and fire at once. */
const maxDelayMs = 2 ** 31 - 1;

/** The platform's clock. Deadlines watch over work that keeps the process alive by itself, so its timers are unref'ed. */
export const platformClock: Clock = {
  now: () => performance.now(),
  setTimer(ms, fire) {
    const timer = setTimeout(fire, Math.min(Math.max(0, ms), maxDelayMs));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
