/**
 * Adding devices to a system and removing them, in the kernel's order (drivers/base/core.c, device_add and
 * device_del). Up to the `add` uevent nothing waits, so nobody sees a device half added.
 */
import type { Autoprobe } from "./autoprobe.js";
import type { Binder } from "./bind.js";
import type { Bus } from "./bus.js";
import type { DeviceClass } from "./class.js";
import type { ClassMembers } from "./class-members.js";
import type { ClassRegistration } from "./class-registration.js";
import type { DeferredProbe } from "./deferred.js";
import type { Device } from "./device.js";
import { DeviceDirectories } from "./device-directories.js";
import type { DeviceLinks } from "./device-links.js";
import { withDeviceLock } from "./device-lock.js";
import { deviceUevent } from "./device-uevent.js";
import { BugError, KernelError } from "./error.js";
import type { NodeRegistry } from "./node-registry.js";
import type { Notifiers } from "./notifiers.js";
import { noDeadline, type Runtime } from "./runtime.js";
import type { Subsystem } from "./subsystem.js";
import type { StillWanted } from "./sync/call.js";
import type { Named } from "./sync/scheduler.js";
import type { Uevents } from "./uevent.js";

/** What a device is added to. */
export interface TreeSurroundings {
  readonly runtime: Runtime;
  readonly uevents: Uevents;
  readonly nodes: NodeRegistry;
  readonly binder: Binder;
  readonly deferred: DeferredProbe;
  readonly autoprobe: Autoprobe;
  readonly links: DeviceLinks;
  readonly notifiers: Notifiers;
  /** @throws KernelError EINVAL not registered */
  subsystemOf(bus: Bus): Subsystem;
  /** @throws KernelError EINVAL not registered */
  membersOf(deviceClass: DeviceClass): ClassMembers;
}

export class DeviceTree implements Named {
  readonly name = "devices";
  readonly #around: TreeSurroundings;
  readonly directories: DeviceDirectories;

  constructor(around: TreeSurroundings) {
    this.#around = around;
    this.directories = new DeviceDirectories(around.runtime);
  }

  get(devpath: string): Device | undefined {
    return this.directories.get(devpath);
  }

  /** Registers and announces the device, for `settle` to go on. Synchronous: it fails as a whole or not at all. */
  add(device: Device): void {
    const { uevents, nodes, notifiers } = this.#around;
    const { subsystem, registration } = this.#check(device);
    // First what can fail …
    subsystem?.addDevice(device);
    try {
      registration?.add(device);
      if (device.node !== null) nodes.reserve(device.node);
    } catch (error) {
      registration?.remove(device);
      subsystem?.removeDevice(device);
      throw error;
    }
    device.get();
    this.directories.add(device);
    // … then what others see.
    device.registration.moveTo("registered");
    device.attributes.publish();
    if (device.node !== null) nodes.publish(device.node);
    notifiers.tell("add-device", device);
    const source = deviceUevent(device, "add");
    if (source !== null) uevents.send("add", source);
    // Of `settle`, which is another step: whoever finds the device can have unregistered it by then.
    device.get();
  }

  /** The second half of adding: finds a driver, then lets the parent and the class know the device. */
  async settle(device: Device): Promise<void> {
    const { autoprobe } = this.#around;
    try {
      // Once it is unregistered its bus may be gone as well.
      if (device.bus !== null && device.registered) {
        const subsystem = this.#around.subsystemOf(device.bus);
        // Whoever adds a device to a bus that needs the parent's lock holds that, or does not need to.
        if (subsystem.autoprobe === "on") {
          await autoprobe.unattended(device, subsystem, "device", () => {});
        }
      }
      // A removal that began during the probe has passed these lists already.
      if (!device.registered) return;
      device.parent?.addChild(device);
      if (device.class !== null) await this.#around.membersOf(device.class).join(device);
    } finally {
      device.put();
    }
  }

  /**
   * The removal up to the point of no return: exactly one caller gets past it.
   * @throws KernelError ENODEV, or ETIMEDOUT for the lock; nothing has changed then
   */
  async kill(device: Device, stillWanted: StillWanted, deadline: number): Promise<void> {
    await device.mutex.withLock(
      () => {
        stillWanted();
        if (!device.registered)
          throw new KernelError("ENODEV", `remove ${device.devpath}: it is not registered`);
        device.registration.moveTo("dead");
      },
      { deadline },
    );
  }

  /** What follows `kill`. Waits as long as it takes: a removal that stopped half way could not be taken up again. */
  async teardown(device: Device): Promise<void> {
    const { binder, deferred, links, nodes, notifiers, uevents } = this.#around;
    notifiers.tell("del-device", device);
    device.parent?.removeChild(device);
    if (device.node !== null) nodes.unpublish(device.node);
    if (device.class !== null) await this.#around.membersOf(device.class).leave(device);
    await device.attributes.remove();
    if (device.bus !== null) this.#around.subsystemOf(device.bus).removeDevice(device);
    await withDeviceLock(device, "device", noDeadline, (lock) => binder.release(lock));
    deferred.remove(device);
    links.purge(device);
    await device.devres.releaseAll();
    this.#lookForChildren(device);
    notifiers.tell("removed-device", device);
    const source = deviceUevent(device, "remove");
    if (source !== null) uevents.send("remove", source);
    this.directories.delete(device);
    device.registration.moveTo("removed");
    device.put();
  }

  #lookForChildren(device: Device): void {
    const { children } = device;
    if (children.size === 0) return;
    this.#around.runtime.log("error", "device.children-left", {
      device: device.devpath,
      children: [...children].map((child) => child.devpath),
    });
  }

  #check(device: Device): { subsystem: Subsystem | null; registration: ClassRegistration | null } {
    const { runtime } = this.#around;
    runtime.scheduler.access(this, "write");
    const what = `add ${device.devpath}`;
    if (device.runtime !== runtime)
      throw new BugError("wrong-runtime", `${what}: it belongs to another system`);
    if (device.registration.state !== "initialized") {
      throw new KernelError(
        "EINVAL",
        `${what}: it is ${device.registration.state}; make a new device instead`,
      );
    }
    const { parent } = device;
    if (parent !== null && !(parent.registered && this.directories.get(parent.devpath) === parent)) {
      throw new KernelError("ENODEV", `${what}: its parent is not registered`);
    }
    if (this.directories.occupant(device.devpath) !== undefined)
      throw new KernelError("EEXIST", `${what}: the name is in use`);
    return {
      registration: device.class === null ? null : this.#around.membersOf(device.class).registration,
      subsystem: device.bus === null ? null : this.#around.subsystemOf(device.bus),
    };
  }
}
