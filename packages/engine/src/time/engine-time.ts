/**
 * The engine's part in sharing an adapter. It wants a lease when there is work, hands the GPU no more ahead than the others should
 * wait for, gives the lease back when it is idle or recalled, and sees to it that no submission takes more than its budget. While the
 * slice is alone, or shares nothing, a submission costs nothing of this but its place in a list.
 */
import {
  type Clock,
  type ClockTimer,
  CommandDeferred,
  type EngineLease,
  type FromEngine,
} from "parhelion-protocol";
import { describeWork } from "./describe-work.js";
import { QueueTime, type Sharing, type TimedQueue } from "./queue-time.js";
import type { Oldest } from "./submissions.js";

/** Whether commands need a lease as well, because the engine's own processor is the GPU, or only what is submitted. */
export type Leased = "everything" | "submissions";

export interface EngineTimeOptions {
  readonly clock: Clock;
  readonly sharing: "free" | "leased";
  readonly leased: Leased;
  /** For messages: the slice's UUID. */
  readonly slice: string;
  /** See EngineQuota. */
  readonly submissionMs: number;
  readonly send: (message: FromEngine) => void;
  readonly log: (line: string) => void;
  /**
   * Processor time of this process so far, in ms, where that is what computes: on a machine that has no time for it a submission gets
   * old no faster than it is worked on. Default: all time counts.
   */
  readonly processorMs?: (() => number) | undefined;
}

/** A lost message must not stop a slice: what is wanted is wanted again after this time, in ms. */
const wantAgainMs = 1000;
/** How long the GPU may take to come back after a device was given up, in ms: then only the end of the process helps. */
const graceMs = 1000;
const reportMs = 500;

export class EngineTime implements Sharing {
  readonly #options: EngineTimeOptions;
  readonly #queues = new Set<QueueTime>();
  readonly #blocked = new Set<QueueTime>();
  #submissionMs: number;
  #lease: EngineLease | undefined;
  #recalled: "no" | "yes" = "no";
  /** Leases up to this one have been given back. */
  #yielded = 0;
  #pausedMs = 0;
  #wanted: ClockTimer | undefined;
  #linger: ClockTimer | undefined;
  #watch: ClockTimer | undefined;
  #watchedAt = 0;
  #processorMs = 0;
  #reportedAt = 0;
  /** When an application's next work came after the last was done, lately: whether lingering pays, in ms. */
  #thinkMs = 0;
  #idleSince: number | undefined;

  constructor(options: EngineTimeOptions) {
    this.#options = options;
    this.#submissionMs = options.submissionMs;
  }

  /** This engine's own time, in ms: it stands still while the process is stopped, as far as the host has said. */
  get now(): number {
    return this.#options.clock.now() - this.#pausedMs;
  }

  setBudget(submissionMs: number): void {
    this.#submissionMs = submissionMs;
  }

  open(queue: TimedQueue): QueueTime {
    const time = new QueueTime(this, queue);
    this.#queues.add(time);
    return time;
  }

  close(queue: QueueTime): void {
    this.#queues.delete(queue);
    this.#blocked.delete(queue);
    this.settle();
  }

  grant(lease: EngineLease): void {
    this.#pausedMs = lease.pausedMs;
    // Said before the host heard that it was given back.
    if (lease.lease <= this.#yielded) return;
    if (lease.lease !== this.#lease?.lease) this.#recalled = "no";
    this.#lease = lease;
    this.#wanted?.cancel();
    this.#wanted = undefined;
    const blocked = [...this.#blocked];
    this.#blocked.clear();
    for (const queue of blocked) queue.go();
    this.settle();
  }

  recall(lease: number): void {
    if (lease !== this.#lease?.lease) return;
    this.#recalled = "yes";
    this.settle();
  }

  /** Whether `queue` may be read now. If not it is told to go on later. */
  admits(queue: QueueTime): boolean {
    this.#cameBack();
    if (this.#isOpen || this.#options.leased === "submissions") return true;
    this.#block(queue);
    return false;
  }

  /** @throws CommandDeferred when the GPU is not this slice's now, or has as much ahead as others should wait for */
  beforeSubmit(queue: QueueTime): void {
    this.#cameBack();
    if (this.#isOpen && !this.#isFull) return;
    this.#block(queue);
    throw new CommandDeferred("no lease");
  }

  /** Something was submitted. */
  submitted(): void {
    if (this.#watch === undefined) this.#plan();
  }

  /** A queue has nothing to do for now, or some of its work is done. */
  settle(): void {
    const lease = this.#lease;
    if (lease === undefined || (lease.ms === null && this.#recalled === "no")) return;
    for (const queue of this.#queues) queue.askForRest();
    if (this.#isOpen && !this.#isFull && this.#blocked.size > 0) {
      const blocked = [...this.#blocked];
      this.#blocked.clear();
      for (const queue of blocked) queue.go();
    }
    if (this.#inFlight > 0) return;
    if (this.#recalled === "yes") this.#yield(this.#hasWork ? "waiting" : "idle");
    else if (!this.#hasWork) this.#wait(lease);
  }

  #block(queue: QueueTime): void {
    this.#blocked.add(queue);
    queue.working = false;
    queue.waits = "time";
    if (this.#lease !== undefined || this.#wanted !== undefined) return;
    this.#want();
  }

  #want(): void {
    this.#options.send({ op: "wantTime" });
    this.#wanted = this.#options.clock.setTimer(wantAgainMs, () => {
      this.#wanted = undefined;
      if (this.#lease === undefined && this.#blocked.size > 0) this.#want();
    });
  }

  /** Keeps the lease for a moment when the application is about to go on, as far as one can tell from the last times. */
  #wait(lease: EngineLease): void {
    const { clock } = this.#options;
    if (this.#linger !== undefined) return;
    this.#idleSince ??= clock.now();
    const lingerMs = this.#thinkMs <= lease.lingerMs ? lease.lingerMs : 0;
    if (lingerMs === 0) this.#yield("idle");
    else
      this.#linger = clock.setTimer(lingerMs, () => {
        this.#linger = undefined;
        if (this.#lease !== undefined && this.#inFlight === 0 && !this.#hasWork) this.#yield("idle");
      });
  }

  #cameBack(): void {
    if (this.#idleSince === undefined) return;
    this.#linger?.cancel();
    this.#linger = undefined;
    const ms = Math.min(100, this.#options.clock.now() - this.#idleSince);
    this.#thinkMs = 0.5 * this.#thinkMs + 0.5 * ms;
    this.#idleSince = undefined;
  }

  #yield(next: "idle" | "waiting"): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#report();
    this.#linger?.cancel();
    this.#linger = undefined;
    this.#lease = undefined;
    this.#yielded = lease.lease;
    this.#recalled = "no";
    if (next === "idle") this.#idleSince ??= this.#options.clock.now();
    this.#options.send({ op: "yieldTime", lease: lease.lease, next });
  }

  get #isOpen(): boolean {
    return this.#options.sharing === "free" || (this.#lease !== undefined && this.#recalled === "no");
  }

  get #isFull(): boolean {
    const ms = this.#lease?.ms;
    if (ms == null) return false;
    let aheadMs = 0;
    // Of an unknown one the quantum is the guess: one at a time.
    for (const queue of this.#queues)
      aheadMs += queue.inFlight * (queue.averageMs === 0 ? ms : queue.averageMs);
    return aheadMs >= ms;
  }

  get #hasWork(): boolean {
    if (this.#blocked.size > 0) return true;
    for (const queue of this.#queues) if (queue.working) return true;
    return false;
  }

  get #inFlight(): number {
    let count = 0;
    for (const queue of this.#queues) count += queue.inFlight;
    return count;
  }

  #plan(): void {
    const ms = Math.max(10, Math.min(100, this.#submissionMs / 20));
    this.#watchedAt = this.now;
    this.#processorMs = this.#options.processorMs?.() ?? 0;
    this.#watch = this.#options.clock.setTimer(ms, () => {
      this.#watch = undefined;
      this.#look();
    });
  }

  /** Every now and then while there is something on the GPU. */
  #look(): void {
    const { now } = this;
    const computedMs = this.#options.processorMs?.();
    const ms = Math.min(
      now - this.#watchedAt,
      computedMs === undefined ? Number.POSITIVE_INFINITY : computedMs - this.#processorMs,
    );
    const busy = [...this.#queues].filter(({ inFlight }) => inFlight > 0);
    const lost = busy.find((queue) => queue.state === "condemned");
    for (const queue of busy) {
      queue.askForRest();
      const oldest = queue.age(now, ms / busy.length);
      // What stands behind one that never ends is not to blame.
      if (lost !== undefined && queue !== lost) queue.forgive();
      else if (oldest !== undefined) this.#judge(queue, oldest);
    }
    if (now - this.#reportedAt >= reportMs) this.#report();
    if (busy.length > 0) this.#plan();
  }

  #judge(queue: QueueTime, { ranMs, count, works }: Oldest): void {
    if (queue.state === "condemned") {
      if (ranMs < graceMs) return;
      queue.forgive();
      this.#options.send({ op: "overrun", device: queue.device, message: queue.verdict });
      return;
    }
    if (ranMs < this.#submissionMs * count) {
      queue.state = "running";
      return;
    }
    // A pause that the host has told of, and that has not been read yet, may be the reason.
    if (queue.state === "running") {
      queue.state = "suspect";
      return;
    }
    const { slice } = this.#options;
    const what = count === 1 ? "a submission" : `${count} submissions in a row`;
    const limit = count === 1 ? "" : " each";
    queue.condemn(
      `limit-reached: slice ${slice}: ${what} kept the GPU for ${Math.round(ranMs)} ms, and submissionMs allows ${this.#submissionMs} ms${limit}. ` +
        `${describeWork(works)}. Submit less at once, or raise submissionMs of the slice.`,
    );
    this.#options.log(queue.verdict);
    this.settle();
  }

  #report(): void {
    let busyMs = 0;
    for (const queue of this.#queues) busyMs += queue.takeBusy();
    this.#reportedAt = this.now;
    if (busyMs > 0) this.#options.send({ op: "timeUsed", busyMs });
  }
}
