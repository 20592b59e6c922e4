/**
 * Devices whose probe said "not yet". Each binding that succeeds may be what they wait for, so it has all of them
 * probed again, one at a time.
 *
 * A probe that is about to defer can miss a binding that completes meanwhile. Whoever adds a device therefore compares
 * `triggers` with what it was before the probe and triggers again when it has changed.
 */
import type { Device } from "./device.js";
import type { Runtime, WaitOptions } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";
import { type Work, WorkQueue } from "./sync/work-queue.js";

export class DeferredProbe implements Named {
  readonly name = "deferred probe";
  readonly #runtime: Runtime;
  readonly #queue: WorkQueue;
  readonly #work: Work;
  readonly #pending = new Set<Device>();
  readonly #active = new Set<Device>();
  #triggers = 0;

  /** @param retry probes one device again; the caller of it holds a reference */
  constructor(runtime: Runtime, retry: (device: Device) => Promise<void>) {
    this.#runtime = runtime;
    this.#queue = new WorkQueue(runtime, "deferred probe");
    this.#work = { name: "retry", run: () => this.#retryActive(retry) };
  }

  /** How often `trigger` was called. */
  get triggers(): number {
    this.#runtime.scheduler.access(this, "read");
    return this.#triggers;
  }

  /** The devices that wait, oldest first. */
  list(): readonly Device[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#active, ...this.#pending];
  }

  /** Without effect on a device that is on its way out: its removal may have passed here already. */
  add(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    if (device.registered && !this.#active.has(device)) this.#pending.add(device);
  }

  remove(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    this.#pending.delete(device);
    this.#active.delete(device);
  }

  trigger(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#triggers += 1;
    for (const device of this.#pending) this.#active.add(device);
    this.#pending.clear();
    if (this.#active.size > 0) this.#queue.queue(this.#work);
  }

  /** Waits until the retries that have been triggered are done. @throws KernelError ETIMEDOUT */
  flush(options?: WaitOptions): Promise<void> {
    return this.#queue.flush(options);
  }

  async #retryActive(retry: (device: Device) => Promise<void>): Promise<void> {
    for (;;) {
      this.#runtime.scheduler.access(this, "write");
      const [device] = this.#active;
      if (device === undefined) return;
      this.#active.delete(device);
      device.get();
      try {
        // One that is on its way out may have lost its bus already.
        if (device.registered) await retry(device);
      } finally {
        device.put();
      }
    }
  }
}
