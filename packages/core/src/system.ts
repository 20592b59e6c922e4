/**
 * One machine's device model: buses, classes, devices, drivers, nodes and uevents. There is no other state, so any
 * number of systems live in one process without noticing each other.
 *
 * Every call that can wait ends by its deadline (the runtime's patience without one). After ETIMEDOUT a call that has
 * not reached its driver never will; in one that has, the driver is still at it and the work goes on.
 */

import type { AttributeSet } from "./attribute-set.js";
import { Autoprobe } from "./autoprobe.js";
import { Binder } from "./bind.js";
import type { Bus } from "./bus.js";
import type { DeviceClass } from "./class.js";
import { ClassRegistration } from "./class-registration.js";
import { DeferredProbe } from "./deferred.js";
import type { Device } from "./device.js";
import { DeviceTree } from "./device-tree.js";
import type { Driver } from "./driver.js";
import { isKernelError, KernelError } from "./error.js";
import { NodeRegistry } from "./node-registry.js";
import { createRuntime, deadlineOf, noDeadline, type Runtime, type WaitOptions } from "./runtime.js";
import { type DriverRegistration, Subsystem } from "./subsystem.js";
import { call, type StillWanted } from "./sync/call.js";
import { Sysfs } from "./sysfs/sysfs.js";
import { type UeventListener, type UeventSource, Uevents } from "./uevent.js";

export class System {
  readonly runtime: Runtime;
  readonly nodes: NodeRegistry;
  /** The same, as the tree of files that Linux shows. */
  readonly sysfs: Sysfs;
  readonly #uevents: Uevents;
  readonly #buses = new Map<Bus, Subsystem>();
  readonly #classes = new Map<DeviceClass, ClassRegistration>();
  readonly #binder: Binder;
  readonly #deferred: DeferredProbe;
  readonly #autoprobe: Autoprobe;
  readonly #tree: DeviceTree;

  constructor(runtime: Runtime = createRuntime()) {
    this.runtime = runtime;
    this.nodes = new NodeRegistry(runtime);
    this.#uevents = new Uevents(runtime);
    this.#deferred = new DeferredProbe(runtime, async (device) => {
      if (device.bus !== null) await this.#autoprobe.device(device, this.#subsystem(device.bus));
    });
    this.#binder = new Binder(runtime, this.#uevents, (device) => {
      this.#deferred.remove(device);
      this.#deferred.trigger();
    });
    this.#autoprobe = new Autoprobe(runtime, this.#binder, this.#deferred);
    this.#tree = new DeviceTree({
      runtime,
      uevents: this.#uevents,
      nodes: this.nodes,
      binder: this.#binder,
      deferred: this.#deferred,
      autoprobe: this.#autoprobe,
      subsystemOf: (bus) => this.#subsystem(bus),
      classOf: (deviceClass) => this.#class(deviceClass),
    });
    this.sysfs = new Sysfs({
      devices: this.#tree.directories,
      nodes: this.nodes,
      uevents: this.#uevents,
      buses: () => this.#buses.values(),
      classes: () => this.#classes.values(),
    });
  }

  /** @returns a function that ends the subscription */
  onUevent(listener: UeventListener): () => void {
    return this.#uevents.listen(listener);
  }

  /** @throws KernelError EEXIST a bus of that name is registered */
  registerBus(bus: Bus): void {
    for (const { name } of this.#buses.keys()) {
      if (name === bus.name) throw new KernelError("EEXIST", `there is a bus ${bus.name} already`);
    }
    this.#buses.set(bus, new Subsystem(this.runtime, bus));
    this.#uevents.send("add", { devpath: `/bus/${bus.name}`, subsystem: "bus", keys: [] });
  }

  /** @throws KernelError EINVAL not registered, EBUSY it has devices or drivers */
  unregisterBus(bus: Bus): void {
    const subsystem = this.#subsystem(bus);
    if (subsystem.devices().length > 0 || subsystem.drivers().length > 0) {
      throw new KernelError("EBUSY", `bus ${bus.name} has devices or drivers; remove them first`);
    }
    this.#subsystem(bus).attributes.beginRemoval();
    this.#buses.delete(bus);
    this.#uevents.send("remove", { devpath: `/bus/${bus.name}`, subsystem: "bus", keys: [] });
  }

  /** @throws KernelError EEXIST a class of that name is registered */
  registerClass(deviceClass: DeviceClass): void {
    for (const { name } of this.#classes.keys()) {
      if (name === deviceClass.name) throw new KernelError("EEXIST", `there is a class ${name} already`);
    }
    this.#classes.set(deviceClass, new ClassRegistration(this.runtime, deviceClass));
    this.#uevents.send("add", { devpath: `/class/${deviceClass.name}`, subsystem: "class", keys: [] });
  }

  /** The registered devices of a bus, oldest first. @throws KernelError EINVAL the bus is not registered */
  devicesOf(bus: Bus): readonly Device[] {
    return this.#subsystem(bus).devices();
  }

  /** The registered devices of a class. @throws KernelError EINVAL the class is not registered */
  membersOf(deviceClass: DeviceClass): readonly Device[] {
    return this.#class(deviceClass).members();
  }

  /**
   * The attributes of a bus, a driver or a class, to add to and remove from.
   * @throws KernelError EINVAL it is not registered
   */
  attributesOf(
    owner: { readonly bus: Bus } | { readonly deviceClass: DeviceClass } | { readonly driver: Driver },
  ): AttributeSet {
    if ("deviceClass" in owner) return this.#class(owner.deviceClass).attributes;
    if ("bus" in owner) return this.#subsystem(owner.bus).attributes;
    const { driver } = owner;
    const registration = this.#subsystem(driver.bus).registrationOf(driver);
    if (registration === undefined)
      throw new KernelError("EINVAL", `driver ${driver.name} is not registered`);
    return registration.attributes;
  }

  /** The device of that name on the bus. @throws KernelError EINVAL the bus is not registered */
  findDevice(bus: Bus, name: string): Device | undefined {
    return this.#subsystem(bus).device(name);
  }

  /** The device at a path that starts with /devices. */
  deviceAt(devpath: string): Device | undefined {
    return this.#tree.get(devpath);
  }

  /**
   * Adds the device and looks for a driver. It is registered, visible and announced before the first probe; no driver
   * binding is not an error. Settles when the search is over, or (logged as `probe.slow`) when the deadline passes.
   * @throws KernelError EINVAL added before, or its bus or class is not registered; ENODEV its parent is not
   * registered; EEXIST, EBUSY a name or number is taken. Nothing has changed then.
   */
  async addDevice(device: Device, options?: WaitOptions): Promise<void> {
    this.#tree.add(device);
    await this.#probing(device.devpath, () => this.#tree.settle(device), options);
  }

  /**
   * Removes the device: unbinds its driver, revokes its node, announces it. References stay valid. Not from its own
   * probe, remove or attribute.
   * @throws KernelError ENODEV not registered (any more): of two racing removals one gets this; ETIMEDOUT: while
   * `device.registered` holds the removal has not begun and will not, else it goes on
   */
  async removeDevice(device: Device, options?: WaitOptions): Promise<void> {
    const deadline = deadlineOf(this.runtime, options);
    await call(
      this.runtime,
      `remove ${device.devpath}`,
      async (stillWanted) => {
        await this.#tree.kill(device, stillWanted, deadline);
        await this.#tree.teardown(device);
      },
      { deadline },
    );
  }

  /** `removeDevice`, then gives the creator's reference back. */
  async unregisterDevice(device: Device, options?: WaitOptions): Promise<void> {
    await this.removeDevice(device, options);
    device.put();
  }

  /**
   * Registers the driver and probes the devices it matches. Settles when all have been tried, or (logged as
   * `probe.slow`) when the deadline passes; what the probes said is not an error.
   * @throws KernelError EINVAL its bus is not registered, EBUSY the bus has a driver of that name
   */
  async registerDriver(driver: Driver, options?: WaitOptions): Promise<void> {
    const subsystem = this.#subsystem(driver.bus);
    const registration = subsystem.addDriver(driver);
    await this.#probing(
      registration.devpath,
      async () => {
        await this.#autoprobe.driver(registration, subsystem);
        if (registration.lifecycle.state !== "registered") return;
        registration.announced = "yes";
        registration.attributes.publish();
        this.#uevents.send("add", driverUevent(registration));
      },
      options,
    );
  }

  /**
   * Unbinds the driver from all its devices, last bound first, and forgets it. No device is bound to it afterwards,
   * whatever raced. Not from its own probe or remove.
   * @throws KernelError ENODEV not registered (any more), ETIMEDOUT it goes on
   */
  async unregisterDriver(driver: Driver, options?: WaitOptions): Promise<void> {
    const subsystem = this.#subsystem(driver.bus);
    const registration = subsystem.registrationOf(driver);
    if (registration?.lifecycle.state !== "registered") {
      throw new KernelError("ENODEV", `unregister driver ${driver.name}: it is not registered`);
    }
    registration.lifecycle.moveTo("unregistering");
    await call(
      this.runtime,
      `unregister ${registration.devpath}`,
      async () => {
        await registration.attributes.remove();
        for (
          let device = last(registration.devices);
          device !== undefined;
          device = last(registration.devices)
        ) {
          await this.#detach(device, driver, noDeadline);
        }
        subsystem.removeDriver(registration);
        if (registration.announced === "yes") this.#uevents.send("remove", driverUevent(registration));
        registration.lifecycle.moveTo("unregistered");
      },
      options,
    );
  }

  /**
   * Binds the driver to the device: the only way there is. Takes the device's lock, so not from the device's own
   * probe or remove; whether they match is the caller's business.
   * @throws KernelError EINVAL not of one bus, ENODEV the device or the driver is not registered, EBUSY bound or
   * resources left, EAGAIN the driver can't yet (the device is not queued: try again), ETIMEDOUT, and what probe throws
   */
  async attach(device: Device, driver: Driver, options?: WaitOptions): Promise<void> {
    const what = `attach ${driver.name} to ${device.devpath}`;
    if (device.bus !== driver.bus) throw new KernelError("EINVAL", `${what}: they are not of the same bus`);
    const subsystem = this.#subsystem(driver.bus);
    const deadline = deadlineOf(this.runtime, options);
    const bind = async (stillWanted: StillWanted): Promise<void> => {
      const outcome = await device.mutex.withLock(
        async (guard) => {
          stillWanted();
          const registration = subsystem.registrationOf(driver);
          if (registration === undefined)
            throw new KernelError("ENODEV", `${what}: the driver is not registered`);
          return this.#binder.probe(guard, device, registration);
        },
        { deadline },
      );
      if (outcome.kind === "bound") return;
      if (!isKernelError(outcome.error, "EPROBE_DEFER")) throw outcome.error;
      throw new KernelError("EAGAIN", `${what}: something it needs is missing; try again`, {
        cause: outcome.error,
      });
    };
    await call(this.runtime, what, bind, { deadline });
  }

  /**
   * Unbinds the device's driver. With `expected` only that driver: what was bound meanwhile stays bound.
   * @throws KernelError ENODEV `expected` is not bound to it, ETIMEDOUT
   */
  async detach(device: Device, expected?: Driver, options?: WaitOptions): Promise<void> {
    const deadline = deadlineOf(this.runtime, options);
    const unbind = async (stillWanted: StillWanted): Promise<void> => {
      const was = await this.#detach(device, expected ?? null, deadline, stillWanted);
      if (was === "other" && expected !== undefined) {
        throw new KernelError(
          "ENODEV",
          `detach ${expected.name} from ${device.devpath}: it is not bound to it`,
        );
      }
    };
    await call(this.runtime, `detach ${device.devpath}`, unbind, { deadline });
  }

  /**
   * Looks for a driver as `addDevice` does, for a device that has lost its own: a probe that says "not yet" is tried again
   * when something else is bound. Without effect on a device that has a driver or is on its way out.
   * Settles when the search is over, or (logged as `probe.slow`) when the deadline passes.
   */
  async probeDevice(device: Device, options?: WaitOptions): Promise<void> {
    const { bus } = device;
    if (bus === null || !device.registered) return;
    device.get();
    const search = async (): Promise<void> => {
      try {
        if (device.registered) await this.#autoprobe.device(device, this.#subsystem(bus));
      } finally {
        device.put();
      }
    };
    await this.#probing(device.devpath, search, options);
  }

  /** Waits until the deferred probes that can be retried have been. @throws KernelError ETIMEDOUT */
  async waitForProbe(options?: WaitOptions): Promise<void> {
    await this.#deferred.flush(options);
  }

  /** The devices that wait for something before they can be probed. */
  deferredDevices(): readonly Device[] {
    return this.#deferred.list();
  }

  /** Under the device's lock, so that who is bound can't change between the look and the release. */
  async #detach(
    device: Device,
    expected: Driver | null,
    deadline: number,
    stillWanted: StillWanted = () => {},
  ): Promise<"detached" | "other"> {
    return device.mutex.withLock(
      async (guard) => {
        stillWanted();
        if (device.driver === null || (expected !== null && device.driver !== expected)) return "other";
        await this.#binder.release(guard, device);
        return "detached";
      },
      { deadline },
    );
  }

  /** A slow probe holds its device's lock, not whoever added the device. */
  async #probing(what: string, probe: () => Promise<void>, options: WaitOptions | undefined): Promise<void> {
    try {
      await call(this.runtime, `probe for ${what}`, probe, options);
    } catch (error) {
      if (!isKernelError(error, "ETIMEDOUT")) throw error;
      this.runtime.log("warn", "probe.slow", { for: what });
    }
  }

  #subsystem(bus: Bus): Subsystem {
    const subsystem = this.#buses.get(bus);
    if (subsystem === undefined) throw new KernelError("EINVAL", `bus ${bus.name} is not registered`);
    return subsystem;
  }

  #class(deviceClass: DeviceClass): ClassRegistration {
    const registration = this.#classes.get(deviceClass);
    if (registration === undefined)
      throw new KernelError("EINVAL", `class ${deviceClass.name} is not registered`);
    return registration;
  }
}

function driverUevent(registration: DriverRegistration): UeventSource {
  return { devpath: registration.devpath, subsystem: "drivers", keys: [] };
}

function last(devices: ReadonlySet<Device>): Device | undefined {
  return [...devices].at(-1);
}
