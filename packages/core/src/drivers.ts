/** Registering drivers and ending it, in the kernel's order (drivers/base/bus.c, bus_add_driver and bus_remove_driver). */
import type { AsyncProbes } from "./async-probes.js";
import type { Autoprobe } from "./autoprobe.js";
import type { Binder } from "./bind.js";
import type { DeferredProbe } from "./deferred.js";
import { withDeviceLock } from "./device-lock.js";
import type { Driver } from "./driver.js";
import type { DriverRegistration } from "./driver-registration.js";
import { KernelError } from "./error.js";
import { noDeadline } from "./runtime.js";
import type { Subsystem } from "./subsystem.js";
import type { UeventAction, Uevents } from "./uevent.js";

export interface DriversSurroundings {
  readonly uevents: Uevents;
  readonly autoprobe: Autoprobe;
  readonly asyncProbes: AsyncProbes;
  readonly binder: Binder;
  readonly deferred: DeferredProbe;
}

export class Drivers {
  readonly #around: DriversSurroundings;

  constructor(around: DriversSurroundings) {
    this.#around = around;
  }

  /** What follows the registration: the driver meets its devices and is announced. */
  async settle(registration: DriverRegistration, subsystem: Subsystem): Promise<void> {
    const { autoprobe, deferred } = this.#around;
    if (subsystem.autoprobe === "on") await autoprobe.driver(registration, subsystem);
    if (registration.lifecycle.state !== "registered") return;
    registration.attributes.publish();
    registration.announced = "yes";
    this.#send("add", registration);
    deferred.driverRegistered();
  }

  /** Nobody can bind the driver any more. @throws KernelError ENODEV not registered (any more) */
  kill(driver: Driver, subsystem: Subsystem): DriverRegistration {
    const registration = subsystem.registrationOf(driver);
    if (registration?.lifecycle.state !== "registered") {
      throw new KernelError("ENODEV", `unregister driver ${driver.name}: it is not registered`);
    }
    registration.lifecycle.moveTo("unregistering");
    return registration;
  }

  /** What follows `kill`: unbinds the devices, last bound first. Waits as long as it takes. */
  async teardown(registration: DriverRegistration, subsystem: Subsystem): Promise<void> {
    const { asyncProbes, binder } = this.#around;
    const { driver, attributes, bindings } = registration;
    await attributes.remove();
    if (asyncProbes.allowed(registration)) await asyncProbes.wait(registration, { deadline: noDeadline });
    for (let binding = bindings.last; binding !== null; binding = bindings.last) {
      const { device } = binding;
      // The binding may end, and the device go, before the lock is there.
      device.get();
      try {
        await withDeviceLock(device, "with parent", noDeadline, (lock) => binder.release(lock, driver));
      } finally {
        device.put();
      }
    }
    subsystem.removeDriver(registration);
    if (registration.announced === "yes") this.#send("remove", registration);
    registration.lifecycle.moveTo("unregistered");
  }

  #send(action: UeventAction, { devpath }: DriverRegistration): void {
    this.#around.uevents.send(action, { devpath, subsystem: "drivers", keys: [] });
  }
}
