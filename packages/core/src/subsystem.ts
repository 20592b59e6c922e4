/** What one system knows about one bus: its devices and drivers, in the order of registration. */
import { AttributeSet } from "./attribute-set.js";
import type { Bus } from "./bus.js";
import type { Device } from "./device.js";
import type { Driver } from "./driver.js";
import { DriverRegistration } from "./driver-registration.js";
import { KernelError } from "./error.js";
import { checkName } from "./name.js";
import type { Runtime } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

export class Subsystem implements Named {
  readonly name: string;
  readonly bus: Bus;
  /** The bus's own. */
  readonly attributes: AttributeSet;
  readonly #runtime: Runtime;
  readonly #devices = new Map<string, Device>();
  readonly #drivers = new Map<string, DriverRegistration>();
  #autoprobe: "on" | "off" = "on";

  constructor(runtime: Runtime, bus: Bus) {
    this.#runtime = runtime;
    this.bus = bus;
    this.name = `bus ${bus.name}`;
    this.attributes = new AttributeSet(runtime, `/bus/${bus.name}`, bus, bus);
    this.attributes.publish();
  }

  /** Whether a new device looks for a driver and a new driver for devices. */
  get autoprobe(): "on" | "off" {
    this.#runtime.scheduler.access(this, "read");
    return this.#autoprobe;
  }

  set autoprobe(autoprobe: "on" | "off") {
    this.#runtime.scheduler.access(this, "write");
    this.#autoprobe = autoprobe;
  }

  get empty(): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#devices.size === 0 && this.#drivers.size === 0;
  }

  /** A snapshot, oldest first. */
  devices(): readonly Device[] {
    return [...this.eachDevice()];
  }

  /** Oldest first; whoever waits between two sees those that came meanwhile, and not those that went. */
  *eachDevice(): Generator<Device> {
    this.#runtime.scheduler.access(this, "read");
    for (const device of this.#devices.values()) {
      yield device;
      this.#runtime.scheduler.access(this, "read");
    }
  }

  /** Like `eachDevice`. */
  *eachDriver(): Generator<DriverRegistration> {
    this.#runtime.scheduler.access(this, "read");
    for (const registration of this.#drivers.values()) {
      yield registration;
      this.#runtime.scheduler.access(this, "read");
    }
  }

  device(name: string): Device | undefined {
    this.#runtime.scheduler.access(this, "read");
    return this.#devices.get(name);
  }

  driver(name: string): DriverRegistration | undefined {
    this.#runtime.scheduler.access(this, "read");
    return this.#drivers.get(name);
  }

  registrationOf(driver: Driver): DriverRegistration | undefined {
    const registration = this.driver(driver.name);
    return registration?.driver === driver ? registration : undefined;
  }

  /** The list holds a reference. @throws KernelError EEXIST */
  addDevice(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#devices.has(device.name)) {
      throw new KernelError("EEXIST", `there is a device ${device.name} on ${this.name} already`);
    }
    device.get();
    this.#devices.set(device.name, device);
  }

  removeDevice(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#devices.get(device.name) !== device) return;
    this.#devices.delete(device.name);
    device.put();
  }

  /** @throws KernelError EBUSY, EINVAL the name */
  addDriver(driver: Driver): DriverRegistration {
    this.#runtime.scheduler.access(this, "write");
    if (this.#drivers.has(driver.name)) {
      throw new KernelError("EBUSY", `there is a driver ${driver.name} on ${this.name} already`);
    }
    checkName("driver", driver.name);
    const registration = new DriverRegistration(this.#runtime, driver);
    this.#drivers.set(driver.name, registration);
    return registration;
  }

  removeDriver({ driver }: DriverRegistration): void {
    this.#runtime.scheduler.access(this, "write");
    this.#drivers.delete(driver.name);
  }
}
