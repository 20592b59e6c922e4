/**
 * Binding one driver to one device and ending it: the only code that calls probe and remove. It acquires in one order
 * and unwinds in the reverse, whatever the driver does (after drivers/base/dd.c, really_probe and
 * __device_release_driver).
 *
 * Everything here runs under the device's lock; callers prove it with the lock they hold.
 */
import type { AttributeGroup } from "./attribute.js";
import type { DeferredProbe } from "./deferred.js";
import { changeBinding, type Device } from "./device.js";
import type { DeviceLinks } from "./device-links.js";
import { type DeviceLock, withDeviceLock } from "./device-lock.js";
import { deviceUevent } from "./device-uevent.js";
import { Devres } from "./devres.js";
import type { Driver } from "./driver.js";
import { Binding, type DriverRegistration } from "./driver-registration.js";
import { isKernelError, KernelError } from "./error.js";
import type { Notifiers } from "./notifiers.js";
import { noDeadline, type Runtime } from "./runtime.js";
import { invoke } from "./sync/call.js";
import type { SyncState } from "./sync-state.js";
import type { Uevents } from "./uevent.js";

/** A driver that refuses lets the next one try; what goes wrong in the core ends the search. */
export type ProbeOutcome =
  | { readonly kind: "bound" }
  | { readonly kind: "refused" | "impossible"; readonly error: unknown };

/** "other": what is bound is not what was to be released. */
export type ReleaseOutcome = "released" | "not-bound" | "other";

export interface BinderSurroundings {
  readonly runtime: Runtime;
  readonly uevents: Uevents;
  readonly notifiers: Notifiers;
  readonly deferred: DeferredProbe;
  readonly links: DeviceLinks;
  readonly sync: SyncState;
  /** By whom each device with a driver is driven: an entry changes in the step that changes `device.driver`. */
  readonly bindings: Map<Device, Binding>;
}

export class Binder {
  readonly #around: BinderSurroundings;

  constructor(around: BinderSurroundings) {
    this.#around = around;
  }

  async probe(lock: DeviceLock, registration: DriverRegistration): Promise<ProbeOutcome> {
    lock.assertHeld();
    const { device } = lock;
    const { driver } = registration;
    const { runtime, notifiers, bindings, links } = this.#around;
    const obstacle = this.#obstacle(device, registration);
    if (obstacle !== null) return { kind: "impossible", error: obstacle };
    const devres = new Devres(runtime, `devres of ${driver.name} on ${device.devpath}`);
    device[changeBinding]({ driver, devres });
    const binding = new Binding(device, registration);
    bindings.set(device, binding);
    // In the step that looked at the driver's state: see DriverRegistration.bindings.
    registration.bindings.add(binding);
    device.binding.moveTo("probing");
    notifiers.tell("bind-driver", device);
    let failure: "refused" | "impossible" = "refused";
    try {
      const data = await invoke(runtime, "probe", device, () => callProbe(device, driver));
      if (data !== undefined) device[changeBinding]({ driverData: data });
      // The driver wanted the device: what goes wrong from here on is not for the next driver to make good.
      failure = "impossible";
      await this.#addAttributes(device, driver);
    } catch (error) {
      this.#logRefusal(device, driver, error);
      device.binding.moveTo("failing");
      notifiers.tell("driver-not-bound", device);
      links.probeFailed(device);
      await this.#cleanUp(binding);
      return { kind: failure, error };
    }
    this.#complete(device);
    return { kind: "bound" };
  }

  /**
   * Ends the device's binding if it has one, after those of the consumers that are linked to it; the lock is dropped
   * while they are unbound. @param expected only this driver
   */
  async release(lock: DeviceLock, expected: Driver | null = null): Promise<ReleaseOutcome> {
    lock.assertHeld();
    const { device } = lock;
    const { bindings, links, notifiers, sync } = this.#around;
    const binding = device.driver === null ? undefined : bindings.get(device);
    if (binding === undefined) return "not-bound";
    const { driver } = binding.registration;
    if (expected !== null && driver !== expected) return "other";
    while (links.busy(device)) {
      lock.drop();
      await links.unbindConsumers(device, (consumer) => this.#evict(consumer));
      await lock.retake();
      // Somebody else has released it meanwhile, and a new binding, even of the same driver, was not meant.
      if (device.driver === null || bindings.get(device) !== binding) return "released";
    }
    device.binding.moveTo("unbinding");
    notifiers.tell("unbind-driver", device);
    sync.forget(device);
    await this.#removeAttributes(device, driver);
    await this.#callRemove(device, driver);
    await this.#cleanUp(binding);
    notifiers.tell("unbound-driver", device);
    this.#send(device, "unbind");
    return "released";
  }

  #obstacle(device: Device, registration: DriverRegistration): KernelError | null {
    const { driver, lifecycle } = registration;
    const what = `bind ${driver.name} to ${device.devpath}`;
    if (!device.registered) return new KernelError("ENODEV", `${what}: the device is not registered`);
    if (lifecycle.state !== "registered") return new KernelError("ENODEV", `${what}: the driver is leaving`);
    if (device.driver !== null) {
      return new KernelError("EBUSY", `${what}: ${device.driver.name} is bound to it; detach that first`);
    }
    try {
      this.#around.links.beginProbe(device);
    } catch (error) {
      if (isKernelError(error)) return error;
      throw error;
    }
    if (!device.devres.closeIfEmpty()) {
      this.#around.links.probeFailed(device);
      return new KernelError(
        "EBUSY",
        `${what}: resources were registered before the probe; release them first`,
      );
    }
    return null;
  }

  #complete(device: Device): void {
    const { deferred, links, notifiers, sync } = this.#around;
    device.binding.moveTo("bound");
    const suppliers = links.driverBound(device);
    for (const synced of [device, ...suppliers]) sync.consider(synced);
    deferred.remove(device);
    deferred.bound(device);
    notifiers.tell("bound-driver", device);
    this.#send(device, "bind");
  }

  /** What a failed probe and a remove leave behind, in the step that ends the binding. */
  async #cleanUp(binding: Binding): Promise<void> {
    const { device, registration } = binding;
    await device.devres.releaseAll();
    const unbinding = device.binding.state === "unbinding";
    device[changeBinding]({ driver: null, driverData: undefined });
    this.#around.bindings.delete(device);
    registration.bindings.remove(binding);
    device.binding.moveTo("unbound");
    if (unbinding) this.#around.links.unbound(device);
  }

  /** Unbinds a consumer whose supplier goes. */
  async #evict(consumer: Device): Promise<void> {
    await withDeviceLock(consumer, "with parent", noDeadline, (lock) => this.release(lock));
  }

  /** All or none; when one can't be added the driver is told to go. */
  async #addAttributes(device: Device, driver: Driver): Promise<void> {
    const added: AttributeGroup[] = [];
    try {
      for (const group of driver.deviceGroups ?? []) {
        device.attributes.addGroup(group);
        added.push(group);
      }
    } catch (error) {
      for (const group of added.reverse())
        await device.attributes.removeGroup(group, { deadline: noDeadline });
      await this.#callRemove(device, driver);
      throw error;
    }
  }

  async #removeAttributes(device: Device, driver: Driver): Promise<void> {
    for (const group of (driver.deviceGroups ?? []).toReversed()) {
      await device.attributes.removeGroup(group, { deadline: noDeadline });
    }
  }

  async #callRemove(device: Device, driver: Driver): Promise<void> {
    const { runtime } = this.#around;
    try {
      await invoke(runtime, "remove", device, () => callRemove(device, driver));
    } catch (error) {
      runtime.log("error", "remove.failed", { device: device.devpath, driver: driver.name, error });
    }
  }

  #send(device: Device, action: "bind" | "unbind"): void {
    const source = deviceUevent(device, action);
    if (source !== null) this.#around.uevents.send(action, source);
  }

  #logRefusal(device: Device, driver: Driver, error: unknown): void {
    const { runtime } = this.#around;
    const fields = { device: device.devpath, driver: driver.name, error };
    if (isKernelError(error, "EPROBE_DEFER")) runtime.log("debug", "probe.deferred", fields);
    else if (isKernelError(error, "ENODEV") || isKernelError(error, "ENXIO")) {
      runtime.log("debug", "probe.not-mine", fields);
    } else runtime.log("error", "probe.failed", fields);
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
