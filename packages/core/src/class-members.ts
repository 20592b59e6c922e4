/**
 * Who belongs to a class, and who is told of it: an interface sees every member once when it comes and once when it
 * goes, whichever of the two was there first. The class's lock keeps the two apart; it is held while interfaces are
 * called, which may wait but must not add or remove devices of the class.
 */
import type { ClassRegistration } from "./class-registration.js";
import type { Device } from "./device.js";
import { KernelError } from "./error.js";
import { deadlineOf, noDeadline, type Runtime, type WaitOptions } from "./runtime.js";
import { call, invoke } from "./sync/call.js";
import { Mutex } from "./sync/mutex.js";

export interface ClassInterface<D = Device> {
  /** A device has become a member, or was one. It has met its drivers. A throw is logged as `interface.failed`. */
  addDevice(device: D): void | Promise<void>;
  /** The device leaves, or the interface does. */
  removeDevice?(device: D): void | Promise<void>;
}

export class ClassMembers {
  readonly registration: ClassRegistration;
  readonly #runtime: Runtime;
  readonly #mutex: Mutex;
  readonly #interfaces = new Set<ClassInterface>();

  constructor(runtime: Runtime, registration: ClassRegistration) {
    this.#runtime = runtime;
    this.registration = registration;
    this.#mutex = new Mutex(runtime, `lock of ${registration.name}`);
  }

  get empty(): boolean {
    this.#runtime.scheduler.access(this.#mutex, "read");
    return this.#interfaces.size === 0 && this.registration.devices().length === 0;
  }

  /** Without effect on a device whose removal has begun: it may have passed here already. */
  async join(device: Device): Promise<void> {
    await this.#mutex.withLock(
      async () => {
        if (!device.registered) return;
        this.registration.settle(device);
        for (const each of [...this.#interfaces]) await this.#tell(each, "addDevice", device);
      },
      { deadline: noDeadline },
    );
  }

  async leave(device: Device): Promise<void> {
    await this.#mutex.withLock(
      async () => {
        if (this.registration.isMember(device)) {
          for (const each of [...this.#interfaces]) await this.#tell(each, "removeDevice", device);
        }
        this.registration.remove(device);
      },
      { deadline: noDeadline },
    );
  }

  /** @throws KernelError EEXIST registered already, ETIMEDOUT */
  async addInterface(added: ClassInterface, options: WaitOptions | undefined): Promise<void> {
    await this.#call("add an interface", options, async () => {
      if (this.#interfaces.has(added)) {
        throw new KernelError("EEXIST", `${this.registration.name} has this interface already`);
      }
      this.#interfaces.add(added);
      for (const device of this.registration.members()) await this.#tell(added, "addDevice", device);
    });
  }

  /** @throws KernelError EINVAL not registered, ETIMEDOUT */
  async removeInterface(removed: ClassInterface, options: WaitOptions | undefined): Promise<void> {
    await this.#call("remove an interface", options, async () => {
      if (!this.#interfaces.delete(removed)) {
        throw new KernelError("EINVAL", `${this.registration.name} does not have this interface`);
      }
      for (const device of this.registration.members()) await this.#tell(removed, "removeDevice", device);
    });
  }

  /** Under the lock, as a task of its own: an interface may take its time, its caller may not have that. */
  async #call(what: string, options: WaitOptions | undefined, work: () => Promise<void>): Promise<void> {
    const deadline = deadlineOf(this.#runtime, options);
    await call(
      this.#runtime,
      `${what} of ${this.registration.name}`,
      (stillWanted) =>
        this.#mutex.withLock(
          () => {
            stillWanted();
            return work();
          },
          { deadline },
        ),
      { deadline },
    );
  }

  async #tell(each: ClassInterface, what: "addDevice" | "removeDevice", device: Device): Promise<void> {
    try {
      await invoke(this.#runtime, `interface.${what}`, device, () => each[what]?.(device));
    } catch (error) {
      this.#runtime.log("error", "interface.failed", { device: device.devpath, what, error });
    }
  }
}
