/**
 * Whether an adapter can be trusted with new devices. Failures of its slices' engines make it suspect; only probes of its own, which
 * no guest can influence, condemn it; and it is probed until it is well again. See HealthState.
 */
import { type Named, noDeadline, type Runtime, StateMachine, Timer } from "parhelion-core";
import type { EngineFailureKind, EngineJudge } from "../engines/engine-judge.js";
import { HostError, messageOf } from "../host-error.js";
import { tell } from "../observe/event-list.js";
import { Task } from "../task.js";
import type { HealthPolicy } from "./health-policy.js";
import { type HealthState, type HealthStatus, healthTransitions } from "./health-state.js";

export interface AdapterHealthOptions {
  readonly runtime: Runtime;
  /** The adapter's name. */
  readonly adapter: string;
  readonly policy: HealthPolicy;
  /**
   * Finds out whether the adapter works. Rejects with why not; has a deadline of its own, and ends early when `ended` is aborted.
   */
  readonly probe: (ended: AbortSignal) => Promise<void>;
  /** Told after each change of state, in the step of the change. */
  readonly onChange: (state: HealthState) => void;
}

interface Failure {
  readonly slice: string;
  readonly at: number;
}

export class AdapterHealth implements EngineJudge, Named {
  readonly name: string;
  readonly #options: AdapterHealthOptions;
  readonly #machine: StateMachine<HealthState>;
  readonly #timer: Timer;
  /** Within the window. */
  #failures: Failure[] = [];
  /** Starts that failed in a row, by slice. */
  readonly #starts = new Map<string, number>();
  #reason = "";
  #since: number;
  /** When what it is suspected of now began. */
  #doubtedSince = 0;
  #calmUntil = Number.NEGATIVE_INFINITY;
  #probe: Task | undefined;
  #nextProbeAt: number | null = null;
  /** Of the probes since it is suspect: how many failed or passed in a row. */
  #inARow = { passed: 0, failed: 0 };
  #passed = 0;
  #failed = 0;
  readonly #ended = new AbortController();
  #life: "open" | "closed" = "open";

  constructor(options: AdapterHealthOptions) {
    const { runtime, adapter } = options;
    this.name = `health of ${adapter}`;
    this.#options = options;
    this.#since = runtime.clock.now();
    this.#machine = new StateMachine<HealthState>(runtime, this.name, healthTransitions, "healthy");
    this.#timer = new Timer(runtime, `probe of ${adapter}`, () => this.#beginProbe());
  }

  get state(): HealthState {
    return this.#machine.state;
  }

  /** "closed": nothing is decided about it any more. */
  get life(): "open" | "closed" {
    this.#access("read");
    return this.#life;
  }

  get status(): HealthStatus {
    this.#access("read");
    const now = this.#options.runtime.clock.now();
    const next = this.#probe !== undefined ? 0 : this.#nextProbeAt === null ? null : this.#nextProbeAt - now;
    return {
      state: this.#machine.state,
      reason: this.#reason,
      sinceMs: now - this.#since,
      probes: { passed: this.#passed, failed: this.#failed },
      nextProbeMs: next === null ? null : Math.max(0, next),
    };
  }

  /** @throws HostError adapter-drained while nobody gets a new device; `details.retryInMs` says when to ask again */
  assertAdmits(): void {
    this.#access("read");
    const { state } = this.#machine;
    if (state === "healthy" || state === "suspect") return;
    const { adapter } = this.#options;
    const retryInMs = Math.ceil(this.status.nextProbeMs ?? 0);
    const when = retryInMs === 0 ? "It is being probed now" : `It is probed again in ${retryInMs} ms`;
    throw new HostError(
      "adapter-drained",
      `${adapter} takes no new devices: it is ${state} (${this.#reason}). ${when}.`,
      {
        details: { adapter, state, retryInMs },
        remedy: "Try again then, or take a slice of another adapter.",
      },
    );
  }

  /** An engine of `slice` has become ready. */
  engineStarted(slice: string): void {
    this.#access("write");
    this.#starts.delete(slice);
  }

  /** An engine of `slice` did not start, or has died, and nobody had asked it to end. */
  engineFailed(slice: string, kind: EngineFailureKind, reason: string): void {
    this.#access("write");
    const { runtime, policy } = this.#options;
    if (this.#life === "closed" || this.#machine.state !== "healthy") return;
    const now = runtime.clock.now();
    if (now < this.#calmUntil) return;
    this.#failures = this.#failures.filter(({ at }) => now - at < policy.windowMs);
    this.#failures.push({ slice, at: now });
    const starts = kind === "start" ? (this.#starts.get(slice) ?? 0) + 1 : 0;
    if (kind === "start") this.#starts.set(slice, starts);
    const slices = new Set(this.#failures.map((failure) => failure.slice)).size;
    if (slices >= policy.slices)
      this.#suspect(`engines of ${slices} slices failed within ${policy.windowMs} ms; the last: ${reason}`);
    else if (starts >= policy.starts)
      this.#suspect(`${starts} engines of a slice in a row did not start; the last: ${reason}`);
  }

  /** The slice is gone; nothing of it is remembered. */
  forget(slice: string): void {
    this.#access("write");
    this.#starts.delete(slice);
  }

  /** The machine may have done something to the adapter: it is probed now, whatever its state. */
  doubt(reason: string): void {
    this.#access("write");
    if (this.#life === "closed") return;
    if (this.#machine.state === "healthy") this.#suspect(reason);
    else {
      this.#inARow = { passed: this.#inARow.passed, failed: 0 };
      this.#planProbe(0);
    }
  }

  /** Probes no more, and waits until one that is under way has ended. */
  async close(): Promise<void> {
    this.#access("write");
    this.#life = "closed";
    this.#ended.abort();
    await this.#timer.cancelSync({ deadline: noDeadline });
    this.#access("read");
    await this.#probe?.wait({ deadline: noDeadline });
  }

  #suspect(reason: string): void {
    const { runtime, adapter } = this.#options;
    this.#reason = reason;
    this.#inARow = { passed: 0, failed: 0 };
    this.#doubtedSince = runtime.clock.now();
    this.#moveTo("suspect");
    tell(runtime, "adapter.suspect", { adapter, reason });
    this.#planProbe(0);
  }

  #planProbe(ms: number): void {
    if (this.#life === "closed" || this.#probe !== undefined) return;
    this.#access("write");
    this.#nextProbeAt = this.#options.runtime.clock.now() + ms;
    this.#timer.start(ms);
  }

  #beginProbe(): void {
    this.#access("write");
    if (this.#life === "closed" || this.#probe !== undefined) return;
    const { runtime, adapter, probe } = this.#options;
    this.#nextProbeAt = null;
    this.#probe = new Task(runtime, `probe of ${adapter}`, async () => {
      let failure: string | null = null;
      try {
        await probe(this.#ended.signal);
      } catch (error) {
        failure = messageOf(error);
      }
      this.#access("write");
      this.#probe = undefined;
      if (this.#life === "closed") return;
      if (failure === null) this.#probePassed();
      else this.#probeFailed(failure);
    });
  }

  #probePassed(): void {
    const { runtime, adapter, policy } = this.#options;
    this.#passed += 1;
    this.#inARow = { passed: this.#inARow.passed + 1, failed: 0 };
    const wanted = this.#machine.state === "suspect" ? 1 : policy.passedProbes;
    if (this.#inARow.passed < wanted) {
      if (this.#machine.state === "drained") this.#moveTo("re-probed");
      tell(runtime, "adapter.re-probed", { adapter, retryInMs: policy.firstMs });
      this.#planProbe(policy.firstMs);
      return;
    }
    const reason = this.#reason;
    const now = runtime.clock.now();
    this.#reason = "";
    this.#failures = [];
    this.#starts.clear();
    this.#calmUntil = now + policy.calmMs;
    this.#moveTo("healthy");
    tell(runtime, "adapter.healthy", { adapter, reason, afterMs: Math.round(now - this.#doubtedSince) });
  }

  #probeFailed(why: string): void {
    const { runtime, adapter, policy } = this.#options;
    this.#failed += 1;
    this.#inARow = { passed: 0, failed: this.#inARow.failed + 1 };
    const { failed } = this.#inARow;
    // 2^40 first delays exceed every limit; a larger exponent only risks Infinity.
    const retryInMs = Math.min(policy.mostMs, policy.firstMs * 2 ** Math.min(40, failed - 1));
    const state = this.#machine.state;
    if (state !== "suspect" || failed >= policy.failedProbes) {
      this.#reason = `its probe failed: ${why}`;
      if (state !== "drained") {
        this.#moveTo("drained");
        tell(runtime, "adapter.drained", { adapter, reason: this.#reason, retryInMs });
      }
    }
    this.#planProbe(retryInMs);
  }

  #moveTo(state: HealthState): void {
    this.#machine.moveTo(state);
    this.#since = this.#options.runtime.clock.now();
    this.#options.onChange(state);
  }

  #access(mode: "read" | "write"): void {
    this.#options.runtime.scheduler.access(this, mode);
  }
}
