/**
 * Devices whose probe said "not yet". Each binding that succeeds may be what they wait for, so it has all of them
 * probed again, one at a time.
 *
 * A probe that is about to defer can miss a binding that completes meanwhile. Whoever adds a device therefore compares
 * `triggers` with what it was before the probe and triggers again when it has changed.
 *
 * A probe that binds children and then defers has itself tried again by them, for ever. It is told apart from one that
 * waits for others by what was bound since it last deferred: only devices below one that is being probed.
 */
import type { Device } from "./device.js";
import type { Runtime, WaitOptions } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";
import { Timer } from "./sync/timer.js";
import { type Work, WorkQueue } from "./sync/work-queue.js";

/** A device that waits, and what its driver said that it waits for. */
export interface Deferral {
  readonly device: Device;
  readonly reason: string;
  /** "stopped": retried for ever by its own children; only the binding of another device tries it again. */
  readonly state: "waiting" | "stopped";
}

type Retry = (device: Device, retried: () => void) => Promise<void>;

interface Entry {
  readonly device: Device;
  reason: string;
  place: "pending" | "active" | "retrying" | "stopped";
  /** The value of `#progress` when it deferred last. */
  progress: number;
  /** Whether something below it was bound while it was being retried. */
  children: "none" | "bound";
  /** How often it was retried in all. */
  attempts: number;
  /** How often in a row it was retried because of its own children. */
  rounds: number;
}

/** Enough that children which settle after a few rounds are no loop. */
const mostRounds = 10;

export class DeferredProbe implements Named {
  readonly name = "deferred probe";
  readonly #runtime: Runtime;
  readonly #queue: WorkQueue;
  readonly #work: Work;
  readonly #entries = new Map<Device, Entry>();
  /** Those of `#entries` that are to be retried, in order. */
  readonly #active = new Set<Entry>();
  readonly #timeoutMs: number;
  readonly #timer: Timer;
  #patience: "unlimited" | "waiting" | "over" = "unlimited";
  #triggers = 0;
  /** How many bindings were not below a device that is being probed. */
  #progress = 0;

  /**
   * @param timeoutMs how long probes may defer for want of something optional, from the first one that does; Infinity:
   * always
   * @param retry probes one device again and calls `retried` when that is done, which may be after it has settled; it is
   * called under a reference to the device
   */
  constructor(runtime: Runtime, timeoutMs: number, retry: Retry) {
    this.#runtime = runtime;
    this.#timeoutMs = timeoutMs;
    this.#queue = new WorkQueue(runtime, "deferred probe");
    this.#work = { name: "retry", run: () => this.#retryActive(retry) };
    this.#timer = new Timer(runtime, "deferred probe timeout", () => this.#timedOut());
  }

  /** How often devices have been sent to be retried. */
  get triggers(): number {
    this.#runtime.scheduler.access(this, "read");
    return this.#triggers;
  }

  /** Whether nothing is being retried. */
  get idle(): boolean {
    this.#runtime.scheduler.access(this, "read");
    for (const { place } of this.#entries.values())
      if (place === "active" || place === "retrying") return false;
    return true;
  }

  /** What a probe should say when something optional is missing. */
  get state(): "EPROBE_DEFER" | "ETIMEDOUT" {
    this.#runtime.scheduler.access(this, "read");
    return this.#patience === "over" ? "ETIMEDOUT" : "EPROBE_DEFER";
  }

  /** The devices that wait, oldest first. */
  list(): readonly Deferral[] {
    this.#runtime.scheduler.access(this, "read");
    const waiting = [...this.#entries.values()].filter(({ place }) => place !== "retrying");
    return waiting.map(({ device, reason, place }) => ({
      device,
      reason,
      state: place === "stopped" ? "stopped" : "waiting",
    }));
  }

  /** Without effect on a device that is on its way out: its removal may have passed here already. */
  add(device: Device, error: unknown): void {
    this.#runtime.scheduler.access(this, "write");
    if (!device.registered) return;
    this.#startTimer("first deferral");
    const reason = error instanceof Error ? error.message : String(error);
    const entry = this.#entries.get(device);
    if (entry === undefined) {
      const progress = this.#progress;
      const fresh: Entry = {
        device,
        reason,
        place: "pending",
        progress,
        children: "none",
        attempts: 0,
        rounds: 0,
      };
      this.#entries.set(device, fresh);
      return;
    }
    entry.reason = reason;
    if (entry.place !== "retrying") return;
    const looped = entry.children === "bound" && entry.progress === this.#progress;
    entry.rounds = looped ? entry.rounds + 1 : 0;
    entry.children = "none";
    entry.progress = this.#progress;
    entry.place = entry.rounds < mostRounds ? "pending" : "stopped";
    // To the end: it has just been tried.
    this.#entries.delete(device);
    this.#entries.set(device, entry);
    if (entry.place === "stopped") {
      this.#runtime.log("error", "probe.endless", {
        device: device.devpath,
        reason,
        rule: "a probe that defers must do so before it creates children: each of them has it tried again",
      });
    }
  }

  remove(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    const entry = this.#entries.get(device);
    if (entry === undefined) return;
    this.#entries.delete(device);
    this.#active.delete(entry);
  }

  /** The device has been bound. */
  bound(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    let below: "nothing" | "a probe" = "nothing";
    for (let parent = device.parent; parent !== null; parent = parent.parent) {
      if (parent.binding.state !== "probing") continue;
      below = "a probe";
      const entry = this.#entries.get(parent);
      if (entry?.place === "retrying") entry.children = "bound";
    }
    if (below === "nothing") this.#progress += 1;
    this.trigger(below === "nothing" ? "all" : "pending");
  }

  /** Sends devices to be retried. @param which "all": the stopped ones too */
  trigger(which: "pending" | "all"): void {
    this.#runtime.scheduler.access(this, "write");
    this.#triggers += 1;
    for (const entry of this.#entries.values()) {
      if (entry.place !== "pending" && !(entry.place === "stopped" && which === "all")) continue;
      if (entry.place === "stopped") entry.rounds = 0;
      entry.place = "active";
      this.#active.add(entry);
    }
    if (this.#active.size > 0) this.#queue.queue(this.#work);
  }

  /** A driver that comes may be what is waited for: the timeout starts anew unless it has passed. */
  driverRegistered(): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#patience === "waiting") this.#startTimer("again");
  }

  /** Waits until the retries that have been triggered are done. @throws KernelError ETIMEDOUT */
  flush(options?: WaitOptions): Promise<void> {
    return this.#queue.flush(options);
  }

  async #retryActive(retry: Retry): Promise<void> {
    for (;;) {
      this.#runtime.scheduler.access(this, "write");
      const [entry] = this.#active;
      if (entry === undefined) return;
      this.#active.delete(entry);
      entry.place = "retrying";
      entry.attempts += 1;
      await this.#retryOne(retry, entry);
    }
  }

  async #retryOne(retry: Retry, entry: Entry): Promise<void> {
    const { device, attempts } = entry;
    const retried = () => {
      this.#runtime.scheduler.access(this, "write");
      // Unless it has deferred anew, and may be at its next attempt already, it does not wait any more.
      const over = entry.place === "retrying" && entry.attempts === attempts;
      if (over && this.#entries.get(device) === entry) this.#entries.delete(device);
    };
    device.get();
    try {
      // One that is on its way out may have lost its bus already.
      if (device.registered) await retry(device, retried);
      else retried();
    } catch (error) {
      retried();
      throw error;
    } finally {
      device.put();
    }
  }

  #startTimer(why: "first deferral" | "again"): void {
    if (
      why === "first deferral" &&
      (this.#patience !== "unlimited" || this.#timeoutMs === Number.POSITIVE_INFINITY)
    ) {
      return;
    }
    this.#patience = "waiting";
    this.#timer.start(this.#timeoutMs);
  }

  #timedOut(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#patience = "over";
    for (const { device, reason } of this.list()) {
      this.#runtime.log("warn", "probe.still-deferred", { device: device.devpath, reason });
    }
    this.trigger("all");
  }
}
