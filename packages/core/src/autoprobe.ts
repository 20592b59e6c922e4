/**
 * Which driver for which device: a new device meets the drivers in the order of their registration until one binds, a
 * new driver meets all devices (after drivers/base/dd.c, __device_attach and driver_attach).
 */
import type { AsyncProbes } from "./async-probes.js";
import type { Binder, ProbeOutcome } from "./bind.js";
import type { DeferredProbe } from "./deferred.js";
import type { Device } from "./device.js";
import { type DeviceLock, type Reach, withDeviceLock } from "./device-lock.js";
import type { DriverRegistration } from "./driver-registration.js";
import { isKernelError } from "./error.js";
import { matches } from "./match.js";
import { noDeadline, type Runtime } from "./runtime.js";
import type { Subsystem } from "./subsystem.js";

/** "failed": the bus could not say, or not yet. */
type Verdict = { readonly kind: "yes" | "no" } | { readonly kind: "failed"; readonly error: unknown };

/**
 * What came of a search: "nobody" matched or wanted the device, or the search itself "failed"; "later": nobody yet, but
 * a driver that is probed asynchronously matches.
 */
export type Search =
  | { readonly kind: "bound" | "nobody" | "later" }
  | { readonly kind: "failed"; readonly error: unknown };

/** Which drivers a search tries. */
type Pass = "all" | "synchronous" | "asynchronous";

export interface AutoprobeSurroundings {
  readonly runtime: Runtime;
  readonly binder: Binder;
  readonly deferred: DeferredProbe;
  readonly asyncProbes: AsyncProbes;
}

export class Autoprobe {
  readonly #around: AutoprobeSurroundings;

  constructor(around: AutoprobeSurroundings) {
    this.#around = around;
  }

  /**
   * Offers the device to the drivers of its bus. Precondition: the caller holds a reference. Waits for the device's
   * lock as long as it takes.
   */
  device(device: Device, subsystem: Subsystem, reach: Reach): Promise<Search> {
    return this.#locked(device, reach, (lock) => this.#search(lock, subsystem, "all"));
  }

  /**
   * The same for a device that nobody asks about: drivers that are probed asynchronously are tried last, in a task of
   * its own. @param ended called when all is done
   */
  async unattended(device: Device, subsystem: Subsystem, reach: Reach, ended: () => void): Promise<void> {
    const { asyncProbes } = this.#around;
    const search = await this.#locked(device, reach, (lock) => this.#search(lock, subsystem, "synchronous"));
    if (search.kind !== "later") {
      ended();
      return;
    }
    asyncProbes.start(device, null, async () => {
      await this.#locked(device, "with parent", (lock) => this.#search(lock, subsystem, "asynchronous"));
      ended();
    });
  }

  /** Offers every device of the bus to the driver, until the driver leaves. */
  async driver(registration: DriverRegistration, subsystem: Subsystem): Promise<void> {
    const { asyncProbes } = this.#around;
    if (subsystem.bus.binding === "by hand") return;
    for (const device of subsystem.eachDevice()) {
      if (registration.lifecycle.state !== "registered") return;
      // The device may have left, and its memory gone, while an earlier one was being probed.
      if (!device.tryGet()) continue;
      try {
        if (this.#match(device, registration).kind !== "yes") continue;
        if (asyncProbes.allowed(registration)) await this.#postpone(device, registration);
        else
          await withDeviceLock(device, "with parent", noDeadline, (lock) => this.#tryOne(lock, registration));
      } finally {
        device.put();
      }
    }
  }

  #postpone(device: Device, registration: DriverRegistration): Promise<void> {
    const { asyncProbes } = this.#around;
    return withDeviceLock(device, "device", noDeadline, () => {
      if (registration.lifecycle.state !== "registered") return;
      if (device.driver !== null || !asyncProbes.choose(device, registration)) return;
      asyncProbes.start(device, registration, () =>
        withDeviceLock(device, "with parent", noDeadline, async (lock) => {
          asyncProbes.chosenTried(device);
          await this.#tryOne(lock, registration);
        }),
      );
    });
  }

  /** Matches again: the device's override may have changed since, and can't under the lock. */
  async #tryOne(lock: DeviceLock, registration: DriverRegistration): Promise<void> {
    const { device } = lock;
    if (device.driver !== null || this.#match(device, registration).kind !== "yes") return;
    await this.#probe(lock, registration);
  }

  async #locked(
    device: Device,
    reach: Reach,
    search: (lock: DeviceLock) => Promise<Search>,
  ): Promise<Search> {
    return withDeviceLock(device, reach, noDeadline, (lock): Search | Promise<Search> => {
      if (!device.registered) return { kind: "nobody" };
      return device.driver !== null ? { kind: "bound" } : search(lock);
    });
  }

  async #search(lock: DeviceLock, subsystem: Subsystem, pass: Pass): Promise<Search> {
    const { device } = lock;
    const { asyncProbes } = this.#around;
    if (subsystem.bus.binding === "by hand") return { kind: "nobody" };
    let kind: "nobody" | "later" = "nobody";
    for (const registration of subsystem.eachDriver()) {
      if (registration.lifecycle.state !== "registered") continue;
      const verdict = this.#match(device, registration);
      if (verdict.kind === "no") continue;
      if (verdict.kind === "failed") return verdict;
      if (pass !== "all" && asyncProbes.allowed(registration) !== (pass === "asynchronous")) {
        if (pass === "synchronous") kind = "later";
        continue;
      }
      const outcome = await this.#probe(lock, registration);
      if (outcome.kind === "bound") return { kind: "bound" };
      if (outcome.kind === "impossible") return { kind: "failed", error: outcome.error };
    }
    return { kind };
  }

  async #probe(lock: DeviceLock, registration: DriverRegistration): Promise<ProbeOutcome> {
    const { binder, deferred } = this.#around;
    const { triggers } = deferred;
    const outcome = await binder.probe(lock, registration);
    if (outcome.kind !== "bound" && isKernelError(outcome.error, "EPROBE_DEFER")) {
      deferred.add(lock.device, outcome.error);
      if (deferred.triggers !== triggers) deferred.trigger("pending");
    }
    return outcome;
  }

  #match(device: Device, { driver }: DriverRegistration): Verdict {
    const { deferred, runtime } = this.#around;
    try {
      return { kind: matches(device, driver) ? "yes" : "no" };
    } catch (error) {
      if (isKernelError(error, "EPROBE_DEFER")) {
        deferred.add(device, error);
      } else {
        runtime.log("error", "match.failed", { device: device.devpath, driver: driver.name, error });
      }
      return { kind: "failed", error };
    }
  }
}
