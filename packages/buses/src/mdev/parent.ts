/**
 * A device that mediated devices are made of: creating and removing them, and unregistering it all (after
 * drivers/vfio/mdev/mdev_core.c). Where Linux lets go too early this does not: see docs/adr/0010.
 *
 * Three lifetimes: the registration, which creates hold while they run; the devices', each of which its removal ends; and
 * the memory's, which lasts until the last device is released.
 */
import {
  type Attribute,
  type AttributeGroup,
  type Bus,
  Completion,
  call,
  type Device,
  type Guard,
  isKernelError,
  KernelError,
  type Named,
  noDeadline,
  type Runtime,
  RwLock,
  type StillWanted,
  type System,
  type WaitOptions,
} from "parhelion-core";
import type { MdevDevice } from "./device.js";
import { MdevMemory } from "./memory.js";
import type { MdevParentInit } from "./parent-init.js";
import { removeFile } from "./remove-file.js";
import type { MdevRequest, MdevType } from "./type.js";
import { typeGroups } from "./type-directories.js";
import { parseUuid, type TakenUuids } from "./uuid.js";

export interface MdevCreateOptions<O = unknown> extends WaitOptions {
  /** The name of the driver to bind, null for none. Default: the first of the parent's uses. */
  readonly use?: string | null;
  /** For the parent's `create`. */
  readonly options?: O;
}

export type MdevParentState = "registered" | "unregistering" | "unregistered";

export interface MdevSurroundings {
  readonly system: System;
  readonly bus: Bus;
  readonly uuids: TakenUuids;
  unregistered(device: Device): void;
}

/** What a create has made, from when it is not undone any more. */
interface Made<S> {
  mdev: MdevDevice<S> | null;
}

export class MdevParent<S = unknown, O = unknown> implements Named {
  readonly name: string;
  readonly device: Device;
  readonly driverName: string;
  readonly types: readonly MdevType[];
  readonly uses: readonly string[];
  readonly #runtime: Runtime;
  readonly #around: MdevSurroundings;
  /** Read by each create, written by unregister: nobody waits to read. */
  readonly #creates: RwLock;
  readonly #memory: MdevMemory<S, O>;
  readonly #unregistered: Completion;
  readonly #groups: readonly AttributeGroup[];
  readonly #remove: Attribute<MdevDevice<S>>;
  readonly #mdevs = new Map<string, MdevDevice<S>>();
  #state: MdevParentState = "registered";

  /** Only `MdevBus.registerParent` calls this. */
  constructor(device: Device, init: MdevParentInit<S, O>, around: MdevSurroundings) {
    const { runtime } = device;
    this.name = `mdev parent ${device.devpath}`;
    this.device = device;
    this.driverName = init.driverName;
    this.types = init.types;
    this.uses = init.uses;
    this.#runtime = runtime;
    this.#around = around;
    this.#creates = new RwLock(runtime, `creates of ${device.devpath}`);
    this.#unregistered = new Completion(runtime, `unregistration of ${this.name}`);
    this.#groups = init.types.flatMap((type) => typeGroups(this, type));
    this.#remove = removeFile({
      claim: (mdev) => this.#claim(mdev),
      finish: (mdev) => this.#finish(mdev),
      byParent: init.remove?.bind(init),
    });
    this.#memory = new MdevMemory(device, init, around.bus, around.uuids);
    for (const group of this.#groups) device.attributes.addGroup(group);
  }

  get state(): MdevParentState {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  /** Those that are registered, oldest first. */
  mdevs(): readonly MdevDevice<S>[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#mdevs.values()].filter((mdev) => mdev.registered);
  }

  find(uuid: string): MdevDevice<S> | undefined {
    this.#runtime.scheduler.access(this, "read");
    const mdev = this.#mdevs.get(uuid.toLowerCase());
    return mdev?.registered === true ? mdev : undefined;
  }

  /** Advice: the next moment it may be another. */
  availableInstances(type: MdevType): number {
    return this.#memory.availableInstances(type);
  }

  /**
   * Makes a device and binds the driver of its use; all of it, or nothing is left. After ETIMEDOUT nothing will be left
   * either: what was begun is undone as soon as the driver lets it.
   * @param type the type's own name, without the parent driver's
   * @throws KernelError EINVAL no such type or use, or no uuid; EEXIST the uuid is taken, in the whole system; EUSERS no
   * instance is left; ENODEV the parent is being unregistered or its driver of that use is not registered; EAGAIN the
   * driver can't yet; ETIMEDOUT; what the parent's `create` and the driver's probe throw
   */
  async create(type: string, uuid: string, options: MdevCreateOptions<O> = {}): Promise<MdevDevice<S>> {
    const request: MdevRequest<O> = {
      uuid: parseUuid(uuid),
      type: this.#typeOf(type),
      use: this.#useOf(options.use),
      options: options.options,
    };
    const made: Made<S> = { mdev: null };
    const create = (stillWanted: StillWanted) => this.#create(request, stillWanted, made);
    try {
      return await call(this.#runtime, `create mdev ${request.uuid}`, create, options);
    } catch (error) {
      // The deadline has passed, and it was there just before.
      if (made.mdev !== null) return made.mdev;
      throw error;
    }
  }

  /**
   * Unbinds the device's driver and removes it. Its uuid and instance are free when its last reference is given back.
   * @throws KernelError EINVAL no uuid; ENODEV no such device, or it or its parent is on the way out; EAGAIN it is not
   * active yet; ETIMEDOUT: it goes on
   */
  async remove(uuid: string, options?: WaitOptions): Promise<void> {
    const wanted = parseUuid(uuid);
    await call(
      this.#runtime,
      `remove mdev ${wanted}`,
      async () => {
        const mdev = this.find(wanted);
        if (mdev === undefined || this.#claim(mdev) === "lost") {
          throw new KernelError("ENODEV", `${this.name} has no ${wanted} to remove`);
        }
        await this.#finish(mdev);
      },
      options,
    );
  }

  /**
   * Removes the types and every device made of them. What is being created is waited for; what comes later gets ENODEV.
   * Whoever calls it again waits as well. Not from a callback of the parent or of a device's driver.
   * @throws KernelError ETIMEDOUT: it goes on
   */
  async unregister(options?: WaitOptions): Promise<void> {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "registered") {
      this.#state = "unregistering";
      this.#runtime.scheduler.spawn(this.#unregistered.name, () => this.#unregister());
    }
    await this.#unregistered.wait(options);
  }

  /** Only the bus calls this: what happens to a device, whoever made it happen. */
  told(event: "leaving" | "removed", mdev: MdevDevice): void {
    this.#runtime.scheduler.access(this, "write");
    if (event === "leaving") {
      if (mdev.life.state !== "leaving") mdev.life.moveTo("leaving");
      return;
    }
    this.#mdevs.delete(mdev.uuid);
    mdev.removed.completeAll();
    // The creator's.
    mdev.put();
  }

  async #create(request: MdevRequest<O>, stillWanted: StillWanted, made: Made<S>): Promise<MdevDevice<S>> {
    stillWanted();
    // Up to the first wait of the parent's create this is one step.
    this.#memory.check(request.uuid);
    const guard = this.#enter();
    try {
      const mdev = await this.#memory.make(request);
      // Its own: once it is announced anybody may remove it.
      mdev.get();
      try {
        await this.#bringUp(mdev, request.use, stillWanted, made);
        return mdev;
      } finally {
        mdev.put();
      }
    } finally {
      guard.release();
    }
  }

  async #bringUp(
    mdev: MdevDevice<S>,
    use: string | null,
    stillWanted: StillWanted,
    made: Made<S>,
  ): Promise<void> {
    await this.#add(mdev, stillWanted);
    try {
      if (use !== null) await this.#bind(mdev, use);
      stillWanted();
      // Last, and nothing can fail after it: a removal that comes before is refused and can come again.
      mdev.attributes.add(this.#remove as Attribute);
      mdev.life.moveTo("active");
      made.mdev = mdev;
    } catch (error) {
      await this.#delete(mdev);
      throw error;
    }
  }

  /** Nobody waits here: a write to `create` runs on what unregister waits for. @throws KernelError ENODEV */
  #enter(): Guard {
    const guard = this.state === "registered" ? this.#creates.tryRead() : null;
    if (guard === null) throw this.#going();
    return guard;
  }

  #going(): KernelError {
    return new KernelError("ENODEV", `${this.name} is ${this.state}`);
  }

  async #add(mdev: MdevDevice<S>, stillWanted: StillWanted): Promise<void> {
    try {
      stillWanted();
      this.#runtime.scheduler.access(this, "write");
      this.#mdevs.set(mdev.uuid, mdev);
      await this.#around.system.addDevice(mdev, { deadline: noDeadline });
    } catch (error) {
      // Nobody is told that what was never there has gone.
      if (mdev.registration.state === "initialized") this.told("removed", mdev);
      else await this.#delete(mdev);
      throw error;
    }
  }

  /** Waits as long as it takes: whoever wants the device has a deadline, and what is begun has to end before it can go. */
  async #bind(mdev: MdevDevice<S>, use: string): Promise<void> {
    const { system, bus } = this.#around;
    const driver = system.findDriver(bus, use);
    if (driver === undefined) {
      throw new KernelError(
        "ENODEV",
        `create mdev ${mdev.uuid}: there is no driver ${use}; register it first`,
      );
    }
    await system.attach(mdev, driver, { deadline: noDeadline });
  }

  /** See `Remover.claim`. */
  #claim(mdev: MdevDevice): "won" | "lost" {
    const { state } = mdev.life;
    if (state === "creating")
      throw new KernelError("EAGAIN", `mdev ${mdev.uuid} is still being created; try again`);
    if (this.state !== "registered") throw this.#going();
    if (state === "leaving") return "lost";
    mdev.life.moveTo("leaving");
    // Given back by `finish`: somebody else may remove it meanwhile, the parent's unregistration too.
    mdev.get();
    return "won";
  }

  async #finish(mdev: MdevDevice): Promise<void> {
    try {
      await this.#delete(mdev);
    } finally {
      mdev.put();
    }
  }

  /** Removes it, or waits for whoever does. Precondition: somebody has a reference, now. */
  async #delete(mdev: MdevDevice): Promise<void> {
    mdev.get();
    try {
      await this.#around.system.removeDevice(mdev, { deadline: noDeadline });
    } catch (error) {
      if (!isKernelError(error, "ENODEV")) throw error;
      await mdev.removed.wait({ deadline: noDeadline });
    } finally {
      mdev.put();
    }
  }

  /** Begins the removal of each that is active. @returns what each that there is will complete when it has gone */
  #takeDown(): Completion[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#mdevs.values()].map((mdev) => {
      if (mdev.life.state === "active") {
        mdev.life.moveTo("leaving");
        mdev.get();
        this.#runtime.scheduler.spawn(mdev.removed.name, () => this.#finish(mdev));
      }
      return mdev.removed;
    });
  }

  async #unregister(): Promise<void> {
    const { system, unregistered } = this.#around;
    // All at once, and before what is being created has ended: whoever is stuck keeps no other from going.
    this.#takeDown();
    const guard = await this.#creates.write({ deadline: noDeadline });
    for (const removed of this.#takeDown()) await removed.wait({ deadline: noDeadline });
    for (const group of this.#groups.toReversed()) {
      await this.device.attributes.removeGroup(group, { deadline: noDeadline });
    }
    this.#runtime.scheduler.access(this, "write");
    this.#state = "unregistered";
    unregistered(this.device);
    // Whoever has heard that the device was removed hears no more of it.
    if (this.device.registration.state !== "removed") {
      system.announceChange(this.device, [["MDEV_STATE", "unregistered"]]);
    }
    guard.release();
    this.#unregistered.completeAll();
    this.#memory.put();
  }

  #typeOf(name: string): MdevType {
    const type = this.types.find((each) => each.name === name);
    if (type !== undefined) return type;
    const names = this.types.map((each) => each.name).join(", ");
    throw new KernelError("EINVAL", `${this.name} has no type ${JSON.stringify(name)}; it has ${names}`);
  }

  #useOf(use: string | null | undefined): string | null {
    if (use === null) return null;
    const name = use ?? this.uses[0];
    if (name !== undefined && this.uses.includes(name)) return name;
    throw new KernelError(
      "EINVAL",
      `${this.name} allows no use ${JSON.stringify(name)}; it allows ${this.uses.join(", ")}`,
    );
  }
}
