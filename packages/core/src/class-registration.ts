/** What one system knows about one class: its devices by name, from their registration on, and its attributes. */
import { AttributeSet } from "./attribute-set.js";
import type { DeviceClass } from "./class.js";
import type { Device } from "./device.js";
import { KernelError } from "./error.js";
import type { Runtime } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

export class ClassRegistration implements Named {
  readonly name: string;
  readonly deviceClass: DeviceClass;
  readonly attributes: AttributeSet;
  readonly #runtime: Runtime;
  readonly #devices = new Map<string, Device>();
  /** Those whose first search for a driver goes on: to be found by name, but not members yet. */
  readonly #arriving = new Set<Device>();

  constructor(runtime: Runtime, deviceClass: DeviceClass) {
    this.#runtime = runtime;
    this.deviceClass = deviceClass;
    this.name = `class ${deviceClass.name}`;
    this.attributes = new AttributeSet(runtime, `/class/${deviceClass.name}`, deviceClass, deviceClass);
    this.attributes.publish();
  }

  device(name: string): Device | undefined {
    this.#runtime.scheduler.access(this, "read");
    return this.#devices.get(name);
  }

  /** A snapshot, oldest first, of all, members or not yet. */
  devices(): readonly Device[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#devices.values()];
  }

  /** A snapshot, oldest first. */
  members(): readonly Device[] {
    return this.devices().filter((device) => !this.#arriving.has(device));
  }

  isMember(device: Device): boolean {
    return this.device(device.name) === device && !this.#arriving.has(device);
  }

  /** @throws KernelError EEXIST */
  add(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#devices.has(device.name)) {
      throw new KernelError("EEXIST", `there is a device ${device.name} in ${this.name} already`);
    }
    this.#devices.set(device.name, device);
    this.#arriving.add(device);
  }

  /** The device becomes a member. */
  settle(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    this.#arriving.delete(device);
  }

  remove(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    this.#arriving.delete(device);
    if (this.#devices.get(device.name) === device) this.#devices.delete(device.name);
  }
}
