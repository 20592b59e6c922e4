/** The buses and classes of one system, by object and by name. */
import type { AttributeSet } from "./attribute-set.js";
import type { Bus } from "./bus.js";
import type { DeviceClass } from "./class.js";
import { ClassMembers } from "./class-members.js";
import { ClassRegistration } from "./class-registration.js";
import { KernelError } from "./error.js";
import { checkName } from "./name.js";
import type { Runtime } from "./runtime.js";
import { Subsystem } from "./subsystem.js";
import type { Named } from "./sync/scheduler.js";
import type { UeventAction, Uevents } from "./uevent.js";

export class Registry implements Named {
  readonly name = "buses and classes";
  readonly #runtime: Runtime;
  readonly #uevents: Uevents;
  readonly #buses = new Map<Bus, Subsystem>();
  readonly #classes = new Map<DeviceClass, ClassMembers>();

  constructor(runtime: Runtime, uevents: Uevents) {
    this.#runtime = runtime;
    this.#uevents = uevents;
  }

  /** @throws KernelError EEXIST, EINVAL the name */
  registerBus(bus: Bus): void {
    this.#runtime.scheduler.access(this, "write");
    checkName("bus", bus.name);
    for (const { name } of this.#buses.keys()) {
      if (name === bus.name) throw new KernelError("EEXIST", `there is a bus ${bus.name} already`);
    }
    this.#buses.set(bus, new Subsystem(this.#runtime, bus));
    this.#send("add", "bus", bus.name);
  }

  /** @returns what may still be in use of it @throws KernelError EINVAL not registered, EBUSY in use */
  unregisterBus(bus: Bus): AttributeSet {
    const subsystem = this.subsystem(bus);
    if (!subsystem.empty) {
      throw new KernelError("EBUSY", `bus ${bus.name} has devices or drivers; remove them first`);
    }
    subsystem.attributes.beginRemoval();
    this.#runtime.scheduler.access(this, "write");
    this.#buses.delete(bus);
    this.#send("remove", "bus", bus.name);
    return subsystem.attributes;
  }

  /** @throws KernelError EEXIST, EINVAL the name */
  registerClass(deviceClass: DeviceClass): void {
    this.#runtime.scheduler.access(this, "write");
    checkName("class", deviceClass.name);
    for (const { name } of this.#classes.keys()) {
      if (name === deviceClass.name) throw new KernelError("EEXIST", `there is a class ${name} already`);
    }
    const registration = new ClassRegistration(this.#runtime, deviceClass);
    this.#classes.set(deviceClass, new ClassMembers(this.#runtime, registration));
    this.#send("add", "class", deviceClass.name);
  }

  /** @returns what may still be in use of it @throws KernelError EINVAL not registered, EBUSY in use */
  unregisterClass(deviceClass: DeviceClass): AttributeSet {
    const members = this.members(deviceClass);
    if (!members.empty) {
      throw new KernelError(
        "EBUSY",
        `class ${deviceClass.name} has devices or interfaces; remove them first`,
      );
    }
    members.registration.attributes.beginRemoval();
    this.#runtime.scheduler.access(this, "write");
    this.#classes.delete(deviceClass);
    this.#send("remove", "class", deviceClass.name);
    return members.registration.attributes;
  }

  /** @throws KernelError EINVAL not registered */
  subsystem(bus: Bus): Subsystem {
    this.#runtime.scheduler.access(this, "read");
    const subsystem = this.#buses.get(bus);
    if (subsystem === undefined) throw new KernelError("EINVAL", `bus ${bus.name} is not registered`);
    return subsystem;
  }

  /** @throws KernelError EINVAL not registered */
  members(deviceClass: DeviceClass): ClassMembers {
    this.#runtime.scheduler.access(this, "read");
    const members = this.#classes.get(deviceClass);
    if (members === undefined) throw new KernelError("EINVAL", `class ${deviceClass.name} is not registered`);
    return members;
  }

  buses(): readonly Subsystem[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#buses.values()];
  }

  classes(): readonly ClassRegistration[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#classes.values()].map(({ registration }) => registration);
  }

  #send(action: UeventAction, subsystem: "bus" | "class", name: string): void {
    this.#uevents.send(action, { devpath: `/${subsystem}/${name}`, subsystem, keys: [] });
  }
}
