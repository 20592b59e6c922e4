/** What one system knows about one bus: its devices and drivers, in the order of registration. */
import { AttributeSet } from "./attribute-set.js";
import type { Bus } from "./bus.js";
import type { Device } from "./device.js";
import type { Driver } from "./driver.js";
import { KernelError } from "./error.js";
import type { Runtime } from "./runtime.js";
import { StateMachine, type Transitions } from "./state-machine.js";
import type { Named } from "./sync/scheduler.js";

type DriverState = "registered" | "unregistering" | "unregistered";

const driverTransitions: Transitions<DriverState> = {
  registered: ["unregistering"],
  unregistering: ["unregistered"],
  unregistered: [],
};

/** One registration of a driver. The driver object itself stays free of state. */
export class DriverRegistration implements Named {
  readonly name: string;
  readonly driver: Driver;
  readonly devpath: string;
  readonly lifecycle: StateMachine<DriverState>;
  readonly attributes: AttributeSet;
  /**
   * Devices it is being probed on or bound to, oldest first. A device enters under its lock in the step that checks
   * `lifecycle`, so an unregister that comes after that check finds it here, and one that came before is seen by it.
   */
  readonly devices = new Set<Device>();
  /** Whether `add` was sent, so that `remove` is sent if and only if it was. */
  announced: "no" | "yes" = "no";

  constructor(runtime: Runtime, driver: Driver) {
    this.driver = driver;
    this.name = driver.name;
    this.devpath = `/bus/${driver.bus.name}/drivers/${driver.name}`;
    this.lifecycle = new StateMachine(runtime, `driver ${this.devpath}`, driverTransitions, "registered");
    this.attributes = new AttributeSet(runtime, this.devpath, driver, driver);
  }
}

export class Subsystem implements Named {
  readonly name: string;
  readonly bus: Bus;
  readonly attributes: AttributeSet;
  readonly #runtime: Runtime;
  readonly #devices = new Map<string, Device>();
  readonly #drivers = new Map<string, DriverRegistration>();

  constructor(runtime: Runtime, bus: Bus) {
    this.#runtime = runtime;
    this.bus = bus;
    this.name = `bus ${bus.name}`;
    this.attributes = new AttributeSet(runtime, `/bus/${bus.name}`, bus, bus);
    this.attributes.publish();
  }

  /** A snapshot, oldest first. */
  devices(): readonly Device[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#devices.values()];
  }

  /** A snapshot, oldest first. */
  drivers(): readonly DriverRegistration[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#drivers.values()];
  }

  device(name: string): Device | undefined {
    this.#runtime.scheduler.access(this, "read");
    return this.#devices.get(name);
  }

  *eachDriver(): Generator<DriverRegistration> {
    this.#runtime.scheduler.access(this, "read");
    for (const registration of this.#drivers.values()) {
      yield registration;
      this.#runtime.scheduler.access(this, "read");
    }
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

  /** @throws KernelError EBUSY */
  addDriver(driver: Driver): DriverRegistration {
    this.#runtime.scheduler.access(this, "write");
    if (this.#drivers.has(driver.name)) {
      throw new KernelError("EBUSY", `there is a driver ${driver.name} on ${this.name} already`);
    }
    const registration = new DriverRegistration(this.#runtime, driver);
    this.#drivers.set(driver.name, registration);
    return registration;
  }

  removeDriver(registration: DriverRegistration): void {
    this.#runtime.scheduler.access(this, "write");
    this.#drivers.delete(registration.name);
  }
}
