/**
 * Binding one driver to one device and ending it: the only code that calls probe and remove. It acquires in one order
 * and unwinds in the reverse, whatever the driver does (after drivers/base/dd.c, really_probe and
 * __device_release_driver).
 *
 * Everything here runs under the device's lock; callers prove it with the guard.
 */
import type { Device } from "./device.js";
import { deviceUevent } from "./device-uevent.js";
import { Devres } from "./devres.js";
import type { Driver } from "./driver.js";
import { isKernelError, KernelError } from "./error.js";
import type { Runtime } from "./runtime.js";
import type { DriverRegistration } from "./subsystem.js";
import { invoke } from "./sync/call.js";
import type { Guard } from "./sync/mutex.js";
import type { Uevents } from "./uevent.js";

/** A driver that refuses lets the next one try; when the core can't even ask, no other driver is asked either. */
export type ProbeOutcome =
  | { readonly kind: "bound" }
  | { readonly kind: "refused" | "impossible"; readonly error: unknown };

export class Binder {
  readonly #runtime: Runtime;
  readonly #uevents: Uevents;
  readonly #bound: (device: Device) => void;
  /** By whom each device with a driver is driven. */
  readonly #registrations = new Map<Device, DriverRegistration>();

  /** @param bound called under the device's lock when a binding is complete, before its uevent */
  constructor(runtime: Runtime, uevents: Uevents, bound: (device: Device) => void) {
    this.#runtime = runtime;
    this.#uevents = uevents;
    this.#bound = bound;
  }

  async probe(guard: Guard, device: Device, registration: DriverRegistration): Promise<ProbeOutcome> {
    device.mutex.assertHeld(guard);
    const { driver } = registration;
    const obstacle = this.#obstacle(device, registration);
    if (obstacle !== null) return { kind: "impossible", error: obstacle };
    device.devres = new Devres(this.#runtime, `devres of ${driver.name} on ${device.devpath}`);
    device.driver = driver;
    this.#registrations.set(device, registration);
    // In the step that looked at the driver's state: see DriverRegistration.devices.
    registration.devices.add(device);
    device.binding.moveTo("probing");
    try {
      const data = await invoke(this.#runtime, "probe", device, () => callProbe(device, driver));
      if (data !== undefined) device.driverData = data;
    } catch (error) {
      this.#logRefusal(device, driver, error);
      await this.#unbind(device, registration);
      return { kind: "refused", error };
    }
    device.binding.moveTo("bound");
    this.#bound(device);
    this.#send(device, "bind");
    return { kind: "bound" };
  }

  /** Ends the device's binding if it has one. */
  async release(guard: Guard, device: Device): Promise<void> {
    device.mutex.assertHeld(guard);
    const registration = this.#registrations.get(device);
    if (registration === undefined) return;
    const { driver } = registration;
    device.binding.moveTo("unbinding");
    try {
      await invoke(this.#runtime, "remove", device, () => callRemove(device, driver));
    } catch (error) {
      this.#runtime.log("error", "remove.failed", { device: device.devpath, driver: driver.name, error });
    }
    await this.#unbind(device, registration);
    this.#send(device, "unbind");
  }

  #obstacle(device: Device, registration: DriverRegistration): KernelError | null {
    const { driver, lifecycle } = registration;
    const what = `bind ${driver.name} to ${device.devpath}`;
    if (!device.registered) return new KernelError("ENODEV", `${what}: the device is not registered`);
    if (lifecycle.state !== "registered") return new KernelError("ENODEV", `${what}: the driver is leaving`);
    if (device.driver !== null) {
      return new KernelError("EBUSY", `${what}: ${device.driver.name} is bound to it; detach that first`);
    }
    if (!device.devres.closeIfEmpty()) {
      return new KernelError(
        "EBUSY",
        `${what}: resources were registered before the probe; release them first`,
      );
    }
    return null;
  }

  async #unbind(device: Device, registration: DriverRegistration): Promise<void> {
    await device.devres.releaseAll();
    device.driver = null;
    device.driverData = undefined;
    device.binding.moveTo("unbound");
    registration.devices.delete(device);
    this.#registrations.delete(device);
  }

  #send(device: Device, action: "bind" | "unbind"): void {
    const source = deviceUevent(device, action);
    if (source !== null) this.#uevents.send(action, source);
  }

  #logRefusal(device: Device, driver: Driver, error: unknown): void {
    const fields = { device: device.devpath, driver: driver.name, error };
    if (isKernelError(error, "EPROBE_DEFER")) this.#runtime.log("debug", "probe.deferred", fields);
    else if (isKernelError(error, "ENODEV") || isKernelError(error, "ENXIO")) {
      this.#runtime.log("debug", "probe.not-mine", fields);
    } else this.#runtime.log("error", "probe.failed", fields);
  }
}

function callProbe(device: Device, driver: Driver): unknown {
  const { bus } = driver;
  return bus.probe === undefined ? driver.probe(device) : bus.probe(device, driver);
}

function callRemove(device: Device, driver: Driver): void | Promise<void> {
  const { bus } = driver;
  return bus.remove === undefined
    ? driver.remove?.(device, device.driverData)
    : bus.remove(device, driver, device.driverData);
}
