/** One driver in one system, with the devices it drives. The driver object itself stays free of state. */
import { AttributeSet } from "./attribute-set.js";
import type { Device } from "./device.js";
import type { Driver } from "./driver.js";
import type { Runtime } from "./runtime.js";
import { StateMachine, type Transitions } from "./state-machine.js";
import type { Named } from "./sync/scheduler.js";

export type DriverState = "registered" | "unregistering" | "unregistered";

const driverTransitions: Transitions<DriverState> = {
  registered: ["unregistering"],
  unregistering: ["unregistered"],
  unregistered: [],
};

export class DriverRegistration {
  readonly driver: Driver;
  readonly devpath: string;
  readonly lifecycle: StateMachine<DriverState>;
  readonly attributes: AttributeSet;
  /**
   * Devices it is being probed on or bound to, oldest first. A device enters under its lock in the step that checks
   * `lifecycle`, so an unregister that comes after that check finds it here, and one that came before is seen by it.
   */
  readonly bindings: BindingList;
  readonly #runtime: Runtime;
  #announced: "no" | "yes" = "no";

  constructor(runtime: Runtime, driver: Driver) {
    this.#runtime = runtime;
    this.driver = driver;
    this.devpath = `/bus/${driver.bus.name}/drivers/${driver.name}`;
    this.lifecycle = new StateMachine(runtime, `driver ${this.devpath}`, driverTransitions, "registered");
    this.attributes = new AttributeSet(runtime, this.devpath, driver, {
      ...(driver.attributes === undefined ? {} : { attributes: driver.attributes }),
      groups: [...(driver.bus.driverGroups ?? []), ...(driver.groups ?? [])],
    });
    this.bindings = new BindingList(runtime, `devices of ${this.devpath}`);
  }

  /** Whether `add` was sent, so that `remove` is sent if and only if it was. */
  get announced(): "no" | "yes" {
    this.#runtime.scheduler.access(this.lifecycle, "read");
    return this.#announced;
  }

  set announced(announced: "no" | "yes") {
    this.#runtime.scheduler.access(this.lifecycle, "write");
    this.#announced = announced;
  }
}

/** One time that a driver is on a device, from before its probe until it is unbound: the identity of a binding. */
export class Binding {
  readonly device: Device;
  readonly registration: DriverRegistration;
  /** Whether `syncState` is due or was called. */
  synced: "no" | "yes" = "no";
  /** Its neighbours on the driver's list: only the list touches them. */
  before: Binding | null = null;
  after: Binding | null = null;

  constructor(device: Device, registration: DriverRegistration) {
    this.device = device;
    this.registration = registration;
  }
}

/** In the order of binding, and a binding leaves from anywhere at once: a driver may have a million devices. */
export class BindingList implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  #first: Binding | null = null;
  #last: Binding | null = null;

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
  }

  get last(): Binding | null {
    this.#runtime.scheduler.access(this, "read");
    return this.#last;
  }

  /** A snapshot, oldest first. */
  devices(): readonly Device[] {
    this.#runtime.scheduler.access(this, "read");
    const devices: Device[] = [];
    for (let binding = this.#first; binding !== null; binding = binding.after) devices.push(binding.device);
    return devices;
  }

  add(binding: Binding): void {
    this.#runtime.scheduler.access(this, "write");
    binding.before = this.#last;
    if (this.#last === null) this.#first = binding;
    else this.#last.after = binding;
    this.#last = binding;
  }

  remove(binding: Binding): void {
    this.#runtime.scheduler.access(this, "write");
    if (binding.before === null) this.#first = binding.after;
    else binding.before.after = binding.after;
    if (binding.after === null) this.#last = binding.before;
    else binding.after.before = binding.before;
    binding.before = binding.after = null;
  }
}
