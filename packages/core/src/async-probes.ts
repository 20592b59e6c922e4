/**
 * Probes that nobody waits for: each is a task of its own. Who has to know that they have ended, or that those of one
 * driver have, waits here.
 */
import type { Device } from "./device.js";
import type { DriverRegistration } from "./driver-registration.js";
import { deadlineOf, type Runtime, type WaitOptions } from "./runtime.js";
import { WaitQueue } from "./sync/wait-queue.js";

export class AsyncProbes {
  readonly #runtime: Runtime;
  readonly #drivers: "none" | "all" | ReadonlySet<string>;
  readonly #ended: WaitQueue;
  /** How many run per driver, and under null those that look for any driver. */
  readonly #running = new Map<DriverRegistration | null, number>();
  /** Which driver is to be tried on which device: the first that asks, until its task begins (Linux: async_driver). */
  readonly #chosen = new Map<Device, DriverRegistration>();

  /** @param drivers the names of drivers that are probed asynchronously though they do not ask for it, or "*" */
  constructor(runtime: Runtime, drivers: readonly string[]) {
    this.#runtime = runtime;
    this.#drivers = drivers.length === 0 ? "none" : drivers.includes("*") ? "all" : new Set(drivers);
    this.#ended = new WaitQueue(runtime, "asynchronous probes");
  }

  get idle(): boolean {
    this.#runtime.scheduler.access(this.#ended, "read");
    return this.#running.size === 0;
  }

  /** Whether the driver's probes may run in tasks of their own. */
  allowed({ driver }: DriverRegistration): boolean {
    const { probeType = "synchronous" } = driver;
    if (probeType !== "synchronous") return probeType === "asynchronous";
    return this.#drivers === "all" || (this.#drivers !== "none" && this.#drivers.has(driver.name));
  }

  /**
   * Starts a task that probes the device and holds a reference to it.
   * @param registration whose probe it is; null: any driver's
   */
  start(device: Device, registration: DriverRegistration | null, probe: () => Promise<void>): void {
    device.get();
    this.#count(registration, 1);
    this.#runtime.scheduler.spawn(`probe ${device.devpath}`, async () => {
      try {
        await probe();
      } finally {
        device.put();
        this.#count(registration, -1);
        this.#ended.wake();
      }
    });
  }

  /** Under the device's lock. @returns false when another driver is to be tried on it already */
  choose(device: Device, registration: DriverRegistration): boolean {
    this.#runtime.scheduler.access({ name: `asynchronous driver of ${device.devpath}` }, "store");
    if (this.#chosen.has(device)) return false;
    this.#chosen.set(device, registration);
    return true;
  }

  /** Under the device's lock: its chosen driver is now being tried. */
  chosenTried(device: Device): void {
    this.#runtime.scheduler.access({ name: `asynchronous driver of ${device.devpath}` }, "store");
    this.#chosen.delete(device);
  }

  /** Waits until no probe of the driver, or none at all, is running. @throws KernelError ETIMEDOUT */
  async wait(registration: DriverRegistration | "all", options?: WaitOptions): Promise<void> {
    const ended = () => (registration === "all" ? this.idle : !this.#running.has(registration));
    await this.#ended.wait(ended, { deadline: deadlineOf(this.#runtime, options) });
  }

  #count(registration: DriverRegistration | null, by: 1 | -1): void {
    this.#runtime.scheduler.access(this.#ended, "write");
    const count = (this.#running.get(registration) ?? 0) + by;
    if (count === 0) this.#running.delete(registration);
    else this.#running.set(registration, count);
  }
}
