/** Time that goes on while the machine sleeps. */
import { uptime } from "node:os";

export interface BootClock {
  /** Milliseconds since an arbitrary origin, those included in which the machine was suspended; never goes back. */
  now(): number;
}

/** Where the system has no such clock this one stands still in a sleep as the other does, and no sleep is noticed. */
export const systemBootClock: BootClock = { now: () => uptime() * 1000 };
