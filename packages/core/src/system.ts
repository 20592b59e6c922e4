/**
 * One machine's device model: buses, classes, devices, drivers, nodes and uevents. There is no other state, so any
 * number of systems live in one process without noticing each other.
 *
 * Every call that can wait ends by its deadline (the runtime's patience without one). After ETIMEDOUT a call that has
 * not reached its driver never will; in one that has, the driver is still at it and the work goes on.
 */
import type { AttributeSet } from "./attribute-set.js";
import type { Bus } from "./bus.js";
import type { DeviceClass } from "./class.js";
import type { ClassInterface } from "./class-members.js";
import type { Deferral } from "./deferred.js";
import type { Device } from "./device.js";
import type { DeviceLink, LinkFlag } from "./device-link.js";
import { deviceUevent } from "./device-uevent.js";
import type { Driver } from "./driver.js";
import { KernelError } from "./error.js";
import type { Leaving } from "./leaving.js";
import type { NodeRegistry } from "./node-registry.js";
import type { BusNotifier } from "./notifiers.js";
import { probing } from "./probing.js";
import { removeDevice, unregisterDriver } from "./removal.js";
import { createRuntime, deadlineOf, type Runtime, type WaitOptions } from "./runtime.js";
import { call } from "./sync/call.js";
import { Sysfs } from "./sysfs/sysfs.js";
import { assemble, type SystemOptions, type SystemParts } from "./system-parts.js";
import type { UeventKeys, UeventListener } from "./uevent.js";

export class System {
  readonly runtime: Runtime;
  readonly nodes: NodeRegistry;
  /** Those who are told before a device is removed or taken from its driver. */
  readonly leaving: Leaving;
  /** The same, as the tree of files that Linux shows. */
  readonly sysfs: Sysfs;
  readonly #parts: SystemParts;

  constructor(runtime: Runtime = createRuntime(), options: SystemOptions = {}) {
    this.#parts = assemble(runtime, options);
    const { leaving, links, nodes, registry, tree, uevents } = this.#parts;
    this.runtime = runtime;
    this.nodes = nodes;
    this.leaving = leaving;
    this.sysfs = new Sysfs({
      devices: tree.directories,
      nodes,
      uevents,
      buses: () => registry.buses(),
      classes: () => registry.classes(),
      links: () => links.all(),
      control: this,
    });
  }

  /** @returns a function that ends the subscription */
  onUevent(listener: UeventListener): () => void {
    return this.#parts.uevents.listen(listener);
  }

  /** Tells the world, with `keys`, that something about the device has changed, unless it has neither bus nor class. */
  announceChange(device: Device, keys: UeventKeys): void {
    const source = deviceUevent(device, "change");
    if (source !== null) this.#parts.uevents.send("change", source, keys);
  }

  /** Tells `notifier` what happens on the bus, registered or not. @returns a function that ends it */
  onBusEvent(bus: Bus, notifier: BusNotifier): () => void {
    return this.#parts.notifiers.add(bus, notifier);
  }

  /** @throws KernelError EEXIST a bus of that name is registered, EINVAL a name that no file can have */
  registerBus(bus: Bus): void {
    this.#parts.registry.registerBus(bus);
  }

  /**
   * Forgets the bus at once, and waits until nothing runs on its attributes. Not from one of them.
   * @throws KernelError EINVAL not registered, EBUSY it has devices or drivers, ETIMEDOUT it is forgotten, and something still runs
   */
  async unregisterBus(bus: Bus, options?: WaitOptions): Promise<void> {
    const attributes = this.#parts.registry.unregisterBus(bus);
    await call(this.runtime, `unregister bus ${bus.name}`, () => attributes.remove(), options);
  }

  /** @throws KernelError EEXIST a class of that name is registered, EINVAL a name that no file can have */
  registerClass(deviceClass: DeviceClass): void {
    this.#parts.registry.registerClass(deviceClass);
  }

  /**
   * Forgets the class at once, and waits until nothing runs on its attributes. Not from one of them.
   * @throws KernelError EINVAL not registered, EBUSY it has devices or interfaces, ETIMEDOUT it is forgotten, and something still
   * runs
   */
  async unregisterClass(deviceClass: DeviceClass, options?: WaitOptions): Promise<void> {
    const attributes = this.#parts.registry.unregisterClass(deviceClass);
    await call(this.runtime, `unregister class ${deviceClass.name}`, () => attributes.remove(), options);
  }

  /**
   * Calls the interface for every member of the class, present and to come, after its drivers have been tried. Not
   * from an interface of that class. @throws KernelError EINVAL not registered, EEXIST the interface is, ETIMEDOUT
   */
  async registerInterface(
    deviceClass: DeviceClass,
    added: ClassInterface,
    options?: WaitOptions,
  ): Promise<void> {
    const members = this.#parts.registry.members(deviceClass);
    await members.addInterface(added, options);
  }

  /** @throws KernelError EINVAL the class or the interface is not registered, ETIMEDOUT */
  async unregisterInterface(
    deviceClass: DeviceClass,
    gone: ClassInterface,
    options?: WaitOptions,
  ): Promise<void> {
    const members = this.#parts.registry.members(deviceClass);
    await members.removeInterface(gone, options);
  }

  /** The registered devices of a bus, oldest first. @throws KernelError EINVAL the bus is not registered */
  devicesOf(bus: Bus): readonly Device[] {
    return this.#parts.registry.subsystem(bus).devices();
  }

  /** The registered devices of a class. @throws KernelError EINVAL the class is not registered */
  membersOf(deviceClass: DeviceClass): readonly Device[] {
    return this.#parts.registry.members(deviceClass).registration.members();
  }

  /** The devices that a driver drives, in the order of binding. @throws KernelError EINVAL it is not registered */
  devicesDrivenBy(driver: Driver): readonly Device[] {
    return this.#registration(driver).bindings.devices();
  }

  /** The attributes of a bus, a driver or a class, to add to and remove from. @throws KernelError EINVAL it is not registered */
  attributesOf(
    owner: { readonly bus: Bus } | { readonly deviceClass: DeviceClass } | { readonly driver: Driver },
  ): AttributeSet {
    if ("deviceClass" in owner)
      return this.#parts.registry.members(owner.deviceClass).registration.attributes;
    if ("bus" in owner) return this.#parts.registry.subsystem(owner.bus).attributes;
    return this.#registration(owner.driver).attributes;
  }

  /** The device of that name on the bus. @throws KernelError EINVAL the bus is not registered */
  findDevice(bus: Bus, name: string): Device | undefined {
    return this.#parts.registry.subsystem(bus).device(name);
  }

  /** The driver of that name on the bus. @throws KernelError EINVAL the bus is not registered */
  findDriver(bus: Bus, name: string): Driver | undefined {
    return this.#parts.registry.subsystem(bus).driver(name)?.driver;
  }

  /** The device at a path that starts with /devices. */
  deviceAt(devpath: string): Device | undefined {
    return this.#parts.tree.get(devpath);
  }

  /**
   * Adds the device and looks for a driver. It is registered, visible and announced before the first probe; no driver
   * binding is not an error. Settles when the search is over, or (logged as `probe.slow`) when the deadline passes.
   * @throws KernelError EINVAL added before, or its bus or class is not registered; ENODEV its parent is not
   * registered; EEXIST, EBUSY a name or number is taken. Nothing has changed then.
   */
  async addDevice(device: Device, options?: WaitOptions): Promise<void> {
    this.#parts.tree.add(device);
    await probing(this.runtime, device.devpath, () => this.#parts.tree.settle(device), options);
  }

  /**
   * Removes the device: unbinds its driver, revokes its node, announces it. References stay valid. Not from its own
   * probe, remove or attribute.
   * @throws KernelError ENODEV not registered (any more): of two racing removals one gets this; ETIMEDOUT: while
   * `device.registered` holds the removal has not begun and will not, else it goes on
   */
  removeDevice(device: Device, options?: WaitOptions): Promise<void> {
    return removeDevice(this.#parts, device, () => {}, options);
  }

  /**
   * `removeDevice`, then gives the creator's reference back: also when the removal goes on after ETIMEDOUT, and not when
   * it has not begun.
   */
  unregisterDevice(device: Device, options?: WaitOptions): Promise<void> {
    return removeDevice(this.#parts, device, () => device.put(), options);
  }

  /**
   * Registers the driver and probes the devices it matches. Settles when all have been tried, or (logged as
   * `probe.slow`) when the deadline passes; what the probes said is not an error.
   * @throws KernelError EINVAL its bus is not registered, or its name; EBUSY the bus has a driver of that name
   */
  async registerDriver(driver: Driver, options?: WaitOptions): Promise<void> {
    const subsystem = this.#parts.registry.subsystem(driver.bus);
    const registration = subsystem.addDriver(driver);
    await probing(
      this.runtime,
      registration.devpath,
      () => this.#parts.drivers.settle(registration, subsystem),
      options,
    );
  }

  /**
   * Unbinds the driver from all its devices, last bound first, and forgets it. No device is bound to it afterwards,
   * whatever raced. Not from its own probe, remove or attribute.
   * @throws KernelError ENODEV not registered (any more), ETIMEDOUT it goes on
   */
  async unregisterDriver(driver: Driver, options?: WaitOptions): Promise<void> {
    const subsystem = this.#parts.registry.subsystem(driver.bus);
    await unregisterDriver({ ...this.#parts, runtime: this.runtime }, driver, subsystem, options);
  }

  /**
   * Binds the driver to the device: the only way there is. Takes the device's lock, so not from the device's own
   * probe or remove; whether they match is the caller's business.
   * @throws KernelError EINVAL not of one bus, ENODEV the device or the driver is not registered, EBUSY bound or
   * resources left, EAGAIN the driver, or a supplier, can't yet (the device is not queued: try again), ETIMEDOUT, and
   * what probe throws
   */
  attach(device: Device, driver: Driver, options?: WaitOptions): Promise<void> {
    return this.#parts.manual.attach(device, driver, "nobody", options);
  }

  /**
   * Unbinds the device's driver, after those of the consumers that are linked to it. With `expected` only that driver:
   * what was bound meanwhile stays bound.
   * @throws KernelError ENODEV `expected` is not bound to it, ETIMEDOUT
   */
  detach(device: Device, expected?: Driver, options?: WaitOptions): Promise<void> {
    return this.#parts.manual.detach(device, expected, options);
  }

  /**
   * `attach` by the device's name, if bus and override agree: what writing to the driver's `bind` does.
   * @throws KernelError ENODEV no such device, or they do not match; ENOENT the driver suppresses it; and as `attach`
   */
  bind(driver: Driver, deviceName: string, options?: WaitOptions): Promise<void> {
    return this.#parts.manual.bind(driver, deviceName, options);
  }

  /**
   * `detach` by the device's name: what writing to the driver's `unbind` does.
   * @throws KernelError ENODEV no such device, or the driver is not bound to it; ENOENT the driver suppresses it; and
   * as `detach`
   */
  unbind(driver: Driver, deviceName: string, options?: WaitOptions): Promise<void> {
    return this.#parts.manual.unbind(driver, deviceName, options);
  }

  /**
   * Looks for a driver for the device of that name, autoprobe on or off: what writing to `drivers_probe` does. None that
   * matches is no error, nor is a device that has one.
   * @throws KernelError ENODEV no such device, EINVAL matching failed or a supplier is missing, ETIMEDOUT
   */
  driversProbe(bus: Bus, deviceName: string, options?: WaitOptions): Promise<void> {
    return this.#parts.manual.driversProbe(bus, deviceName, options);
  }

  /** Whether new devices and drivers of the bus look for each other. @throws KernelError EINVAL not registered */
  driversAutoprobe(bus: Bus): "on" | "off" {
    return this.#parts.registry.subsystem(bus).autoprobe;
  }

  /**
   * What writing to `drivers_autoprobe` does; nothing that is bound changes.
   * @param text off when it starts with 0, else on @throws KernelError EINVAL not registered
   */
  setDriversAutoprobe(bus: Bus, text: string): void {
    this.#parts.registry.subsystem(bus).autoprobe = text.startsWith("0") ? "off" : "on";
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
        if (device.registered) {
          await this.#parts.autoprobe.device(device, this.#parts.registry.subsystem(bus), "with parent");
        }
      } finally {
        device.put();
      }
    };
    await probing(this.runtime, device.devpath, search, options);
  }

  /**
   * Waits until the probes that run in tasks of their own have ended, those that were deferred and can be retried
   * included, and suppliers have been told. Not from a probe, nor with a device's lock held.
   * @throws KernelError ETIMEDOUT
   */
  async waitForProbe(options?: WaitOptions): Promise<void> {
    const deadline = deadlineOf(this.runtime, options);
    do {
      await this.#parts.asyncProbes.wait("all", { deadline });
      await this.#parts.deferred.flush({ deadline });
    } while (!(this.#parts.asyncProbes.idle && this.#parts.deferred.idle));
    await this.#parts.sync.flush({ deadline });
  }

  /** The devices that wait for something before they can be probed. */
  deferredDevices(): readonly Device[] {
    return this.#parts.deferred.list().map(({ device }) => device);
  }

  /** The same, with what they wait for. */
  deferredProbes(): readonly Deferral[] {
    return this.#parts.deferred.list();
  }

  /** What a probe should throw when something that it can do without is missing: see `deferredProbeTimeoutMs`. */
  deferredProbeState(): "EPROBE_DEFER" | "ETIMEDOUT" {
    return this.#parts.deferred.state;
  }

  /**
   * Says that `consumer` depends on `supplier`: unless the link is stateless it is bound only while the supplier is,
   * and is unbound before it. Adding a link again makes it last as long as the longer-lived of the two.
   * @param consumer need not be registered yet
   * @throws KernelError EINVAL flags that mean nothing together, the supplier is the consumer or depends on it, or they
   * have a link that is managed differently; ENODEV the supplier is not registered, or the consumer leaves
   */
  addLink(consumer: Device, supplier: Device, flags: readonly LinkFlag[] = []): DeviceLink {
    return this.#parts.links.add(consumer, supplier, flags);
  }

  /** Takes one adding of a stateless link back. @throws KernelError EINVAL it is managed, ENODEV it is gone */
  removeLink(link: DeviceLink): void {
    this.#parts.links.remove(link);
  }

  /** The links to what the device depends on, and from what depends on it, at this moment. */
  linksOf(device: Device): {
    readonly suppliers: readonly DeviceLink[];
    readonly consumers: readonly DeviceLink[];
  } {
    return { suppliers: this.#parts.links.suppliers(device), consumers: this.#parts.links.consumers(device) };
  }

  /** Until `resumeSyncState`, as often, no driver's `syncState` is called: more consumers are about to be added. */
  pauseSyncState(): void {
    this.#parts.sync.pause();
  }

  /** @throws BugError sync-state-not-paused */
  resumeSyncState(): void {
    this.#parts.sync.resume();
  }

  /** Whether `syncState` of the device's binding is due or was called. */
  stateSynced(device: Device): boolean {
    return this.#parts.sync.synced(device);
  }

  /**
   * Calls `syncState` though consumers are missing: what writing to `state_synced` does.
   * @throws KernelError EINVAL the text is not 1, or it was called; ENODEV no driver is bound, ENOENT the driver has no
   * such callback, ETIMEDOUT
   */
  writeStateSynced(device: Device, text: string, options?: WaitOptions): Promise<void> {
    return this.#parts.sync.write(device, text, options);
  }

  /** @throws KernelError EINVAL */
  #registration(driver: Driver) {
    const registration = this.#parts.registry.subsystem(driver.bus).registrationOf(driver);
    if (registration !== undefined) return registration;
    throw new KernelError("EINVAL", `driver ${driver.name} is not registered`);
  }
}
