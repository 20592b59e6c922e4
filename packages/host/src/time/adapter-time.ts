/**
 * Whose turn it is on one adapter. Engines that have work get a lease, one at a time, the one that is owed the most first
 * (start-time fair queueing); who is alone keeps its lease until somebody else wants time, and nothing is spent on it. An engine that
 * does not let go is paused where that is possible; where it is not it loses its exclusivity, and is charged for what it takes.
 */
import { type Named, type Runtime, Timer } from "parhelion-core";
import { Account } from "./account.js";
import { partsOf, type TimePolicy, type TimeTerms } from "./time-policy.js";
import { type Runner, type TimeArbiter, TimeShare, type TimeStatus } from "./time-share.js";

/** Timers are no finer, in ms: what is due within this is due now. */
const tick = 0.05;
/**
 * How far ahead an engine may work that can be stopped in the midst of it, in ms. Nobody waits for what it has begun, and one that had
 * only a turn's work ahead would run out of it at each turn's end: that cost a third of what both did.
 */
const pausableAheadMs = 1000;

export class AdapterTime implements TimeArbiter, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #policy: TimePolicy;
  readonly #shares = new Set<TimeShare>();
  readonly #timer: Timer;
  #holder: TimeShare | undefined;
  #leases = 0;
  /** The most virtual time that anybody was given: where everybody starts again when nobody wants anything. */
  #served = 0;

  constructor(runtime: Runtime, adapter: string, policy: TimePolicy) {
    this.name = `time of ${adapter}`;
    this.#runtime = runtime;
    this.#policy = policy;
    this.#timer = new Timer(runtime, this.name, () => this.#decide());
  }

  /** A slice's place. Its owner closes it. */
  open(slice: string, { share: kept, weight, cap }: TimeTerms): TimeShare {
    this.#access("write");
    const terms = { share: kept, weight, cap };
    const share = new TimeShare(this, slice, terms, new Account(this.#policy.capWindowMs, this.#now));
    share.account.virtual = this.#virtualTime();
    this.#shares.add(share);
    this.#apportion();
    return share;
  }

  close(share: TimeShare): void {
    this.#access("write");
    if (!this.#shares.has(share)) return;
    if (share.runner !== undefined) this.leave(share, share.runner);
    this.#shares.delete(share);
    this.#apportion();
  }

  change(share: TimeShare, terms: TimeTerms): void {
    this.#access("write");
    if (!this.#shares.has(share)) return;
    share.terms = terms;
    this.#apportion();
    this.#decide();
  }

  join(share: TimeShare, runner: Runner): void {
    this.#access("write");
    if (!this.#shares.has(share)) return;
    if (share.runner !== undefined) this.leave(share, share.runner);
    share.runner = runner;
    share.state = "idle";
    share.pausedMs = 0;
    share.manners = "yields";
  }

  leave(share: TimeShare, runner: Runner): void {
    this.#access("write");
    if (share.runner !== runner) return;
    this.#release(share);
    share.runner = undefined;
    share.state = "absent";
    this.#decide();
  }

  want(share: TimeShare, runner: Runner): void {
    this.#access("write");
    if (share.runner !== runner) return;
    if (share.state === "running") this.#tell(share);
    if (share.state !== "idle") return;
    // Little credit for time that it did not want.
    const { creditMs } = this.#policy;
    share.account.virtual = Math.max(share.account.virtual, this.#virtualTime() - creditMs);
    share.state = "waiting";
    share.arrival = "new";
    share.waitingSince = this.#now;
    this.#decide();
  }

  yielded(share: TimeShare, runner: Runner, lease: number, next: "idle" | "waiting"): void {
    this.#access("write");
    if (share.runner !== runner || share.lease !== lease || !hasLease(share)) return;
    this.#release(share);
    share.manners = "yields";
    share.state = next;
    share.arrival = "old";
    share.waitingSince = this.#now;
    this.#decide();
  }

  used(share: TimeShare, busyMs: number): void {
    this.#access("write");
    share.busyMs += busyMs;
  }

  pausedMs(share: TimeShare, runner: Runner): number {
    this.#access("read");
    if (share.runner !== runner) return 0;
    return share.pausedMs + (share.state === "paused" ? this.#now - share.pausedSince : 0);
  }

  status(share: TimeShare): TimeStatus {
    this.#access("read");
    share.account.settle(this.#now);
    const { state, terms, part, busyMs, grants, pauses, overruns } = share;
    return { state, terms, part, chargedMs: share.account.chargedMs, busyMs, grants, pauses, overruns };
  }

  /** Whoever has it, for invariants: at most one engine at a time, besides those that overrun. */
  get holder(): TimeShare | undefined {
    this.#access("read");
    return this.#holder;
  }

  #apportion(): void {
    const shares = [...this.#shares];
    const parts = partsOf(shares.map(({ terms }) => terms));
    shares.forEach((share, index) => {
      share.part = parts[index] as number;
      share.account.change(this.#now, share.part, share.terms.cap);
    });
  }

  #decide(): void {
    this.#access("write");
    const now = this.#now;
    for (;;) {
      const holder = this.#holder;
      if (holder === undefined) {
        const next = this.#next(now);
        if (next === undefined) break;
        this.#grant(next, now);
      } else if (holder.state === "recalled") {
        if (holder.recalledUntil - now > tick) break;
        this.#enforce(holder, now);
      } else if (this.#runsFor(holder, now) <= tick) this.#recall(holder, now);
      else break;
    }
    this.#tellOfCompany();
    this.#arm(now);
  }

  /** Who is owed the most of those that may run. */
  #next(now: number): TimeShare | undefined {
    let best: TimeShare | undefined;
    for (const share of this.#shares) {
      if (share.state !== "waiting" && share.state !== "paused") continue;
      if (share.account.waitMs(now, this.#policy.quantumMs) > tick) continue;
      if (best === undefined || precedes(share, best)) best = share;
    }
    return best;
  }

  /** How much longer the holder keeps the adapter, as things are, in ms. */
  #runsFor(holder: TimeShare, now: number): number {
    holder.account.settle(now);
    const room = holder.account.roomMs(now);
    const next = this.#next(now);
    if (next === undefined) return room;
    const { leastRunMs, quantumMs } = this.#policy;
    const turn = holder.grantedAt + (next.arrival === "new" ? leastRunMs : quantumMs) - now;
    const behind = (next.account.virtual - holder.account.virtual) * holder.part;
    // Past the tie: the change would be taken back at once.
    return Math.min(room, Math.max(turn, behind > 0 ? behind + 2 * tick : 0));
  }

  #grant(share: TimeShare, now: number): void {
    const resumes = share.state === "paused";
    if (resumes) share.pausedMs += now - share.pausedSince;
    else share.lease = ++this.#leases;
    share.state = "running";
    share.arrival = "old";
    share.grantedAt = now;
    share.grants += 1;
    share.account.begin(now);
    this.#holder = share;
    this.#tell(share);
    // It finds the message when it wakes.
    if (resumes) share.runner?.resume();
  }

  #recall(holder: TimeShare, now: number): void {
    // Whoever is alone may well be idle, and is not stopped in vain; whoever kept on the last time is.
    const atOnce = holder.company === "others" || holder.manners === "keeps on";
    if (atOnce && holder.runner?.pausable === true) {
      this.#enforce(holder, now);
      return;
    }
    holder.state = "recalled";
    holder.recalledUntil = now + this.#policy.recallMs;
    holder.runner?.recall(holder.lease);
  }

  #enforce(holder: TimeShare, now: number): void {
    this.#holder = undefined;
    holder.manners = "keeps on";
    holder.waitingSince = now;
    if (holder.runner?.pausable !== true) {
      holder.state = "overrunning";
      holder.overruns += 1;
      return;
    }
    this.#settle(holder);
    holder.account.end(now);
    holder.state = "paused";
    holder.pausedSince = now;
    holder.pauses += 1;
    holder.runner.pause();
  }

  /** It holds nothing any more, and is not paused. The caller says what it is then. */
  #release(share: TimeShare): void {
    const now = this.#now;
    if (this.#holder === share) this.#holder = undefined;
    this.#settle(share);
    share.account.end(now);
    if (share.state !== "paused") return;
    share.pausedMs += now - share.pausedSince;
    share.state = "idle";
    share.runner?.resume();
  }

  #settle(share: TimeShare): void {
    share.account.settle(this.#now);
    this.#served = Math.max(this.#served, share.account.virtual);
  }

  /** Where a newcomer starts: at whoever is owed the most of those that want time. */
  #virtualTime(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const share of this.#shares) {
      if (!isActive(share)) continue;
      this.#settle(share);
      least = Math.min(least, share.account.virtual);
    }
    return least === Number.POSITIVE_INFINITY ? this.#served : least;
  }

  #companyOf(share: TimeShare): TimeShare["company"] {
    if (share.terms.cap < 1) return "others";
    for (const other of this.#shares) if (other !== share && isActive(other)) return "others";
    return "alone";
  }

  #tellOfCompany(): void {
    const holder = this.#holder;
    if (holder?.state === "running" && this.#companyOf(holder) !== holder.company) this.#tell(holder);
  }

  #tell(share: TimeShare): void {
    const { quantumMs, lingerMs } = this.#policy;
    share.company = this.#companyOf(share);
    const alone = share.company === "alone";
    share.runner?.lease({
      lease: share.lease,
      ms: alone ? null : share.runner?.pausable === true ? pausableAheadMs : quantumMs,
      lingerMs: alone || this.#isBehind(share) ? lingerMs : 0,
      pausedMs: share.pausedMs,
    });
  }

  /** Whether others would have to wait for their turn anyway. */
  #isBehind(share: TimeShare): boolean {
    share.account.settle(this.#now);
    for (const other of this.#shares) {
      if (other === share || (other.state !== "waiting" && other.state !== "paused")) continue;
      if (other.account.virtual < share.account.virtual) return false;
    }
    return true;
  }

  #arm(now: number): void {
    let dueMs = Number.POSITIVE_INFINITY;
    const holder = this.#holder;
    if (holder?.state === "recalled") dueMs = holder.recalledUntil - now;
    else if (holder !== undefined) dueMs = this.#runsFor(holder, now);
    for (const share of this.#shares) {
      if (share.state !== "waiting" && share.state !== "paused") continue;
      const waitMs = share.account.waitMs(now, this.#policy.quantumMs);
      if (waitMs > tick) dueMs = Math.min(dueMs, waitMs);
    }
    if (dueMs === Number.POSITIVE_INFINITY) this.#timer.cancel();
    else this.#timer.start(Math.max(tick, dueMs));
  }

  get #now(): number {
    return this.#runtime.clock.now();
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

function isActive({ state }: TimeShare): boolean {
  return state !== "absent" && state !== "idle";
}

function hasLease({ state }: TimeShare): boolean {
  return state === "running" || state === "recalled" || state === "paused" || state === "overrunning";
}

/** Whether `a` comes before `b`. */
function precedes(a: TimeShare, b: TimeShare): boolean {
  if (a.account.virtual !== b.account.virtual) return a.account.virtual < b.account.virtual;
  if (a.arrival !== b.arrival) return a.arrival === "new";
  return a.waitingSince < b.waitingSince;
}
