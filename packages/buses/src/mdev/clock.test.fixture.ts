/** A clock that stands until a test moves it, so that a deadline passes when the test says so. */
import type { Clock, ClockTimer } from "parhelion-core";

export class StandingClock implements Clock {
  readonly #timers = new Map<ClockTimer, { readonly due: number; readonly fire: () => void }>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): ClockTimer {
    const timer: ClockTimer = { cancel: () => void this.#timers.delete(timer) };
    this.#timers.set(timer, { due: this.#now + ms, fire });
    return timer;
  }

  /** Fires what is due by then. */
  moveTo(ms: number): void {
    this.#now = ms;
    for (const [timer, { due, fire }] of [...this.#timers]) {
      if (due <= ms && this.#timers.delete(timer)) fire();
    }
  }
}
