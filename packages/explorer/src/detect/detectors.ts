/** All that is looked for in every run. One object per search: it serves one run after the other. */
import { HappensBefore } from "./happens-before.js";
import { HeldLocks } from "./held-locks.js";
import { Lifetimes } from "./lifetimes.js";
import { LockOrder } from "./lock-order.js";
import type { Observer } from "./observer.js";
import { SleepInAtomic } from "./sleep-in-atomic.js";
import { Stuck } from "./stuck.js";

export class Detectors {
  readonly lockOrder: LockOrder;
  readonly observers: readonly Observer[];

  constructor() {
    const locks = new HeldLocks();
    this.lockOrder = new LockOrder(locks);
    this.observers = [
      this.lockOrder,
      locks,
      new HappensBefore(),
      new SleepInAtomic(),
      new Lifetimes(),
      new Stuck(locks),
    ];
  }
}
