/** One slice's place in the time of its adapter: which engine runs for it, whether that wants time or has it, and its account. */
import type { Named } from "parhelion-core";
import type { Account } from "./account.js";
import type { TimeTerms } from "./time-policy.js";

export type TimeState =
  /** The slice has no engine. */
  | "absent"
  /** Its engine has nothing to do. */
  | "idle"
  /** Its engine has work and no lease. */
  | "waiting"
  /** Its engine has the adapter. */
  | "running"
  /** As `running`, and it was asked for its lease. */
  | "recalled"
  /** Its engine was stopped in the midst of its work and goes on when it is its turn. */
  | "paused"
  /** Its engine could neither be stopped nor has it given the lease back in time: it runs beside the others, and pays. */
  | "overrunning";

/** A lease as the engine is told of it. A second one with the same number replaces what the first said. */
export interface Lease {
  readonly lease: number;
  /** How much work may be handed to the GPU ahead, in ms; null: nobody else wants the adapter, and nothing needs to be watched. */
  readonly ms: number | null;
  /** How long the engine may stay idle before it yields, in ms. */
  readonly lingerMs: number;
  /** How long this engine has been paused in all, in ms. */
  readonly pausedMs: number;
}

/** An engine as its adapter's time sees it. None of it waits, and none of it can fail. */
export interface Runner {
  /** Whether `pause` stops its work for real, and safely: an engine that is paused ends with its host. */
  readonly pausable: boolean;
  lease(lease: Lease): void;
  recall(lease: number): void;
  pause(): void;
  resume(): void;
}

export interface TimeStatus {
  readonly state: TimeState;
  readonly terms: TimeTerms;
  /** The part of the adapter's time that the slice gets when all slices want it. */
  readonly part: number;
  /** Time during which its engine had the adapter or would not let go of it, in ms. */
  readonly chargedMs: number;
  /** Time during which the GPU worked for it, as its engines measured it, in ms. */
  readonly busyMs: number;
  readonly grants: number;
  readonly pauses: number;
  readonly overruns: number;
}

/** What a share asks of the adapter's time that it is part of. */
export interface TimeArbiter {
  join(share: TimeShare, runner: Runner): void;
  leave(share: TimeShare, runner: Runner): void;
  want(share: TimeShare, runner: Runner): void;
  yielded(share: TimeShare, runner: Runner, lease: number, next: "idle" | "waiting"): void;
  change(share: TimeShare, terms: TimeTerms): void;
  close(share: TimeShare): void;
  status(share: TimeShare): TimeStatus;
  pausedMs(share: TimeShare, runner: Runner): number;
  used(share: TimeShare, busyMs: number): void;
}

/** The fields are the arbiter's; everybody else uses the methods. */
export class TimeShare implements Named {
  readonly name: string;
  readonly account: Account;
  terms: TimeTerms;
  part = 1;
  state: TimeState = "absent";
  runner: Runner | undefined;
  lease = 0;
  /** When its present run began. */
  grantedAt = 0;
  waitingSince = 0;
  recalledUntil = 0;
  pausedSince = 0;
  pausedMs = 0;
  busyMs = 0;
  grants = 0;
  pauses = 0;
  overruns = 0;
  /** Whether its engine was told that nobody else wants time. */
  company: "alone" | "others" = "others";
  /** Whether it has begun to want time since it had it last. */
  arrival: "new" | "old" = "old";
  /** Whether the last recall had to be enforced: then the next one is not waited for. */
  manners: "yields" | "keeps on" = "yields";
  readonly #arbiter: TimeArbiter;

  constructor(arbiter: TimeArbiter, slice: string, terms: TimeTerms, account: Account) {
    this.name = `time of ${slice}`;
    this.#arbiter = arbiter;
    this.terms = terms;
    this.account = account;
  }

  get status(): TimeStatus {
    return this.#arbiter.status(this);
  }

  /** The slice has a new engine, which takes the place of one that it had before. */
  join(runner: Runner): void {
    this.#arbiter.join(this, runner);
  }

  /** The engine has gone, or is to end: it is not paused any more, nor will it be. Idempotent. */
  leave(runner: Runner): void {
    this.#arbiter.leave(this, runner);
  }

  /** The engine has work. Repeated, in case that the lease was lost on its way. */
  want(runner: Runner): void {
    this.#arbiter.want(this, runner);
  }

  /** @param next whether the engine has more to do. Without effect unless `lease` is the one it holds */
  yielded(runner: Runner, lease: number, next: "idle" | "waiting"): void {
    this.#arbiter.yielded(this, runner, lease, next);
  }

  /** The engine has measured that the GPU worked `busyMs` more for it. */
  used(busyMs: number): void {
    this.#arbiter.used(this, busyMs);
  }

  /** How long this engine has been paused until now, in ms. */
  pausedFor(runner: Runner): number {
    return this.#arbiter.pausedMs(this, runner);
  }

  /** At once; what was used before is charged at the old terms. */
  change({ share, weight, cap }: TimeTerms): void {
    this.#arbiter.change(this, { share, weight, cap });
  }

  /** The slice goes. Idempotent. */
  close(): void {
    this.#arbiter.close(this);
  }
}
