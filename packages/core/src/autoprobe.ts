/**
 * Which driver for which device: a new device meets the drivers in the order of their registration until one binds, a
 * new driver meets all devices (after drivers/base/dd.c, __device_attach and driver_attach).
 */
import type { Binder, ProbeOutcome } from "./bind.js";
import type { DeferredProbe } from "./deferred.js";
import type { Device } from "./device.js";
import { isKernelError } from "./error.js";
import { noDeadline, type Runtime } from "./runtime.js";
import type { DriverRegistration, Subsystem } from "./subsystem.js";
import type { Guard } from "./sync/mutex.js";

type Verdict = "yes" | "no" | "defer" | "error";

export class Autoprobe {
  readonly #runtime: Runtime;
  readonly #binder: Binder;
  readonly #deferred: DeferredProbe;

  constructor(runtime: Runtime, binder: Binder, deferred: DeferredProbe) {
    this.#runtime = runtime;
    this.#binder = binder;
    this.#deferred = deferred;
  }

  /** Precondition: the caller holds a reference. Waits for the device's lock as long as it takes. */
  async device(device: Device, subsystem: Subsystem): Promise<void> {
    await device.mutex.withLock(
      async (guard) => {
        if (!device.registered || device.driver !== null) return;
        for (const registration of subsystem.drivers()) {
          if (registration.lifecycle.state !== "registered") continue;
          const verdict = this.#match(device, registration);
          if (verdict === "no") continue;
          if (verdict !== "yes") return;
          const outcome = await this.#probe(guard, device, registration);
          if (outcome.kind !== "refused") return;
        }
      },
      { deadline: noDeadline },
    );
  }

  /** Offers every device of the bus to the driver, until the driver leaves. */
  async driver(registration: DriverRegistration, subsystem: Subsystem): Promise<void> {
    for (const device of subsystem.devices()) {
      if (registration.lifecycle.state !== "registered") return;
      // The device may have left, and its memory gone, while an earlier one was being probed.
      if (!device.tryGet()) continue;
      try {
        if (this.#match(device, registration) !== "yes") continue;
        await device.mutex.withLock(
          async (guard) => {
            if (device.driver === null) await this.#probe(guard, device, registration);
          },
          { deadline: noDeadline },
        );
      } finally {
        device.put();
      }
    }
  }

  async #probe(guard: Guard, device: Device, registration: DriverRegistration): Promise<ProbeOutcome> {
    const { triggers } = this.#deferred;
    const outcome = await this.#binder.probe(guard, device, registration);
    if (outcome.kind !== "bound" && isKernelError(outcome.error, "EPROBE_DEFER")) {
      this.#deferred.add(device);
      if (this.#deferred.triggers !== triggers) this.#deferred.trigger();
    }
    return outcome;
  }

  #match(device: Device, { driver }: DriverRegistration): Verdict {
    try {
      return driver.bus.match(device, driver) ? "yes" : "no";
    } catch (error) {
      if (isKernelError(error, "EPROBE_DEFER")) {
        this.#deferred.add(device);
        return "defer";
      }
      this.#runtime.log("error", "match.failed", { device: device.devpath, driver: driver.name, error });
      return "error";
    }
  }
}
