/** Time, injected. This file is the one place in the package that touches the platform's clock and timers. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  now(): number;
  /** Calls `fire` once, no sooner than `ms` from now; at once (but not synchronously) when `ms` is not positive. */
  setTimer(ms: number, fire: () => void): ClockTimer;
}

export interface ClockTimer {
  cancel(): void;
  /** Whether the process lives on for it; it does until it is told otherwise. Clocks of tests need not know it. */
  keepAlive?(keeps: "yes" | "no"): void;
}

/** The platform's timers take a signed 32-bit delay and fire at once beyond it. */
const maxDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(ms, fire) {
    const due = performance.now() + ms;
    let keeps: "yes" | "no" = "yes";
    const arm = () => {
      const armed = setTimeout(
        () => {
          if (performance.now() + 1 < due) handle = arm();
          else fire();
        },
        Math.min(Math.max(0, due - performance.now()), maxDelayMs),
      );
      if (keeps === "no") armed.unref();
      return armed;
    };
    let handle = arm();
    return {
      cancel: () => clearTimeout(handle),
      keepAlive(wanted) {
        keeps = wanted;
        if (wanted === "yes") handle.ref();
        else handle.unref();
      },
    };
  },
};
