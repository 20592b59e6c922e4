/**
 * Engines of one adapter in simulated time. `Simulation.run(ms)` lets time pass; an engine has work as its `Load` says, takes its
 * messages after `latencyMs`, and counts in `doneMs` the work that its GPU has done.
 */
import { setImmediate } from "node:timers/promises";
import { type Clock, type ClockTimer, createRuntime, type Runtime } from "parhelion-core";
import { AdapterTime } from "./adapter-time.js";
import type { TimePolicy, TimeTerms } from "./time-policy.js";
import type { Lease, Runner, TimeShare } from "./time-share.js";

export class SimulatedClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): ClockTimer {
    const timer = { at: this.#now + Math.max(0, ms), fire };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    await setImmediate();
    for (;;) {
      let next: { readonly at: number; readonly fire: () => void } | undefined;
      for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
      if (next === undefined || next.at > until) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.fire();
      await setImmediate();
    }
    this.#now = until;
  }
}

/** An application's work: submissions of `workMs`, the next one `thinkMs` after the last one is done. */
export interface Load {
  readonly workMs: number;
  /** 0: the next one is there already. */
  readonly thinkMs: number;
}

export class SimulatedEngine implements Runner {
  readonly pausable: boolean;
  /** Of all submissions that are done, in ms. */
  doneMs = 0;
  /** Of each submission: from when the application made it until it was done, in ms. */
  readonly latencies: number[] = [];
  messages = 0;
  resumes = 0;
  /** What its last lease allowed it to hand to the GPU ahead. */
  aheadMs: number | null = null;
  readonly #clock: Clock;
  readonly #share: TimeShare;
  readonly #latencyMs: number;
  #load: Load;
  #lease: Lease | undefined;
  #recalled: "no" | "yes" = "no";
  #process: "runs" | "paused" | "dead" = "runs";
  /** Messages that arrived while it was paused. */
  readonly #inbox: (() => void)[] = [];
  /** Of the submission that is under way or due, undefined while the application thinks. */
  #leftMs: number | undefined;
  #madeAt = 0;
  #computing: { readonly since: number; readonly timer: ClockTimer } | undefined;
  #waiting: ClockTimer | undefined;

  constructor(clock: Clock, share: TimeShare, load: Load, pausable: boolean, latencyMs: number) {
    this.#clock = clock;
    this.#share = share;
    this.#load = load;
    this.pausable = pausable;
    this.#latencyMs = latencyMs;
    share.join(this);
    this.#next();
  }

  get paused(): boolean {
    return this.#process === "paused";
  }

  get computing(): boolean {
    return this.#computing !== undefined;
  }

  change(load: Load): void {
    this.#load = load;
  }

  lease(lease: Lease): void {
    this.#arrives(() => {
      if (this.#lease?.lease !== lease.lease) this.#recalled = "no";
      this.#lease = lease;
      this.aheadMs = lease.ms;
      if (this.#leftMs !== undefined) this.#compute();
      else this.#idle();
    });
  }

  recall(lease: number): void {
    this.#arrives(() => {
      if (this.#lease?.lease !== lease) return;
      this.#recalled = "yes";
      if (this.#computing === undefined) this.#yield(this.#leftMs === undefined ? "idle" : "waiting");
    });
  }

  pause(): void {
    if (this.#process !== "runs") throw new Error(`paused while it ${this.#process}`);
    this.#process = "paused";
    this.#stopComputing();
  }

  resume(): void {
    if (this.#process === "dead") return;
    if (this.#process !== "paused") throw new Error("resumed while it runs");
    this.#process = "runs";
    this.resumes += 1;
    if (this.#leftMs !== undefined && this.#lease !== undefined) this.#compute();
    for (const take of this.#inbox.splice(0)) take();
  }

  die(): void {
    this.#process = "dead";
    this.#stopComputing();
    this.#waiting?.cancel();
    this.#share.leave(this);
  }

  #arrives(take: () => void): void {
    this.messages += 1;
    this.#clock.setTimer(this.#latencyMs, () => {
      if (this.#process === "paused") this.#inbox.push(take);
      else if (this.#process === "runs") take();
    });
  }

  #says(what: () => void): void {
    this.messages += 1;
    this.#clock.setTimer(this.#latencyMs, what);
  }

  /** The application's turn. It is not paused with its engine. */
  #next(): void {
    this.#waiting?.cancel();
    const make = (): void => {
      if (this.#process === "dead") return;
      this.#leftMs = this.#load.workMs;
      this.#madeAt = this.#clock.now();
      if (this.#lease === undefined) this.#says(() => this.#share.want(this));
      else this.#compute();
    };
    if (this.#load.thinkMs === 0) make();
    else this.#waiting = this.#clock.setTimer(this.#load.thinkMs, make);
  }

  #compute(): void {
    const left = this.#leftMs;
    if (left === undefined || this.#process !== "runs" || this.#computing !== undefined) return;
    const timer = this.#clock.setTimer(left, () => this.#done(left));
    this.#computing = { since: this.#clock.now(), timer };
  }

  #stopComputing(): void {
    if (this.#computing === undefined || this.#leftMs === undefined) return;
    const ms = this.#clock.now() - this.#computing.since;
    this.#leftMs -= ms;
    this.doneMs += ms;
    this.#computing.timer.cancel();
    this.#computing = undefined;
  }

  #done(ms: number): void {
    this.#computing = undefined;
    this.#leftMs = undefined;
    this.doneMs += ms;
    this.latencies.push(this.#clock.now() - this.#madeAt);
    const recalled = this.#recalled === "yes";
    if (recalled) this.#yield(this.#load.thinkMs === 0 ? "waiting" : "idle");
    if (!recalled || this.#load.thinkMs > 0) {
      this.#next();
      if (this.#leftMs === undefined) this.#idle();
    } else {
      this.#leftMs = this.#load.workMs;
      this.#madeAt = this.#clock.now();
    }
  }

  #idle(): void {
    const lease = this.#lease;
    if (lease === undefined || lease.ms === null || this.#leftMs !== undefined) return;
    const linger = this.#load.thinkMs <= lease.lingerMs ? lease.lingerMs : 0;
    this.#clock.setTimer(linger, () => {
      if (this.#lease === lease && this.#leftMs === undefined && this.#process === "runs")
        this.#yield("idle");
    });
  }

  #yield(next: "idle" | "waiting"): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#lease = undefined;
    this.#says(() => this.#share.yielded(this, lease.lease, next));
  }
}

export class Simulation {
  readonly clock = new SimulatedClock();
  readonly runtime: Runtime = createRuntime({ clock: this.clock });
  readonly time: AdapterTime;
  readonly engines: SimulatedEngine[] = [];
  readonly shares: TimeShare[] = [];
  readonly #pausable: boolean;
  readonly #latencyMs: number;

  constructor(policy: TimePolicy, pausable: boolean, latencyMs = 0.2) {
    this.time = new AdapterTime(this.runtime, "simulated", policy);
    this.#pausable = pausable;
    this.#latencyMs = latencyMs;
  }

  add(load: Load, terms: Partial<TimeTerms> = {}): SimulatedEngine {
    const share = this.time.open(`${this.shares.length}`, { share: 0, weight: 1, cap: 1, ...terms });
    const engine = new SimulatedEngine(this.clock, share, load, this.#pausable, this.#latencyMs);
    this.shares.push(share);
    this.engines.push(engine);
    return engine;
  }

  /** @returns what each engine's GPU did meanwhile, in ms */
  async run(ms: number): Promise<number[]> {
    const before = this.engines.map(({ doneMs }) => doneMs);
    await this.clock.pass(ms);
    return this.engines.map(({ doneMs }, index) => doneMs - (before[index] as number));
  }
}
