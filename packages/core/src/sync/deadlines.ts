/**
 * Deadlines of waits. Nearly all of them are met, so that a timer of the platform's for each would be made only to be cleared again,
 * which takes longer than many a wait: they share one, which is set for the earliest and looked at when it fires.
 */
import { type ClockTimer, systemClock } from "../clock.js";

interface Deadline {
  readonly due: number;
  readonly missed: () => void;
}

export class Deadlines {
  readonly #waiting = new Set<Deadline>();
  #timer: ClockTimer | null = null;
  /** When the timer fires. There may be nobody left who waits until then. */
  #set = Number.POSITIVE_INFINITY;

  /**
   * @param asked when it is due, on the system's clock; what is no number is missed at once
   * @param missed is called once, no sooner, unless the deadline is cancelled
   */
  add(asked: number, missed: () => void): ClockTimer {
    // Nothing is before or after a NaN: with one among them none of the others would ever be due.
    const due = Number.isNaN(asked) ? Number.NEGATIVE_INFINITY : asked;
    const deadline = { due, missed };
    this.#waiting.add(deadline);
    if (due < this.#set) this.#arm(due);
    else if (this.#waiting.size === 1) this.#timer?.keepAlive?.("yes");
    return { cancel: () => this.#drop(deadline) };
  }

  #drop(deadline: Deadline): void {
    // A process must not live on for a timer that nobody waits for.
    if (this.#waiting.delete(deadline) && this.#waiting.size === 0) this.#timer?.keepAlive?.("no");
  }

  #arm(due: number): void {
    this.#timer?.cancel();
    this.#set = due;
    this.#timer = systemClock.setTimer(due - systemClock.now(), () => this.#look());
  }

  #look(): void {
    // The platform's timers may be a little early.
    const now = Math.max(systemClock.now(), this.#set);
    const missed: Deadline[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const deadline of this.#waiting) {
      if (deadline.due <= now) missed.push(deadline);
      else next = Math.min(next, deadline.due);
    }
    this.#timer = null;
    this.#set = Number.POSITIVE_INFINITY;
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
    missed.sort((a, b) => a.due - b.due);
    // One may cancel another that is due as well.
    for (const deadline of missed) if (this.#waiting.delete(deadline)) deadline.missed();
  }
}
