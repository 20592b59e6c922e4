/** What the programs about mdevs stand on: a parent, drivers that notice what must not happen, and an account of it all. */
import { type Bus, Device, type Driver, type ErrnoCode, System } from "parhelion-core";
import { outcomeOf, type Pool, type World, watchDriver, watchSystem } from "parhelion-explorer";
import { MdevBus, type MdevDevice, type MdevParent, type MdevParentInit } from "../index.js";

export const uuid = "00000000-0000-4000-8000-000000000001";
export const other = "00000000-0000-4000-8000-000000000002";

/** Its devices are for drivers that are called like them, or begin so. */
export const adapters: Bus<Device, Driver> = {
  name: "adapter",
  match: (device, driver) => device.name.startsWith(driver.name),
};

export class MdevStage {
  readonly world: World;
  readonly system: System;
  readonly mdev: MdevBus;
  /** What the parent's create takes and its release gives back: what is out at the end is a leak. */
  readonly instances: Pool;
  readonly drivers: Driver[];
  /** What was told of the devices of that uuid. */
  readonly events: string[] = [];
  readonly #init: MdevParentInit<string>;
  readonly #parents: MdevParent<string>[] = [];

  /** @param max instances of a parent, @param parts of the parent that are otherwise */
  constructor(world: World, max = 1, parts: Partial<MdevParentInit<string>> = {}) {
    this.world = world;
    this.system = new System(world.runtime);
    this.system.registerBus(adapters as Bus);
    this.mdev = new MdevBus(this.system);
    watchSystem(world, this.system, [this.mdev.bus as Bus]);
    this.system.onUevent(({ action, devpath }) => {
      if (devpath.endsWith(uuid)) this.events.push(action);
    });
    const instances = world.pool("instances", max);
    this.instances = instances;
    this.drivers = ["projected", "local"].map((name) => this.watched(name));
    this.#init = {
      driverName: "toy",
      types: [{ name: "full", deviceApi: "toy-api" }],
      uses: ["projected", "local"],
      available: { policy: "counter", instances: max },
      create: (request) => {
        world.expect(instances.take(), "more is made than there is");
        return request.uuid;
      },
      release: () => instances.give(),
      ...parts,
    };
  }

  get parent(): MdevParent<string> {
    const [parent] = this.#parents;
    if (parent === undefined) throw new Error("there is no parent yet");
    return parent;
  }

  get parents(): readonly MdevParent<string>[] {
    return this.#parents;
  }

  get bus(): Bus {
    return this.mdev.bus as Bus;
  }

  watched(name: string, parts: Partial<Driver<MdevDevice>> = {}): Driver {
    const { world } = this;
    return watchDriver<MdevDevice, unknown>(world, {
      name,
      bus: this.mdev.bus as Bus,
      probe: () => {},
      remove: () => {},
      ...parts,
    }) as Driver;
  }

  /**
   * @param uuids of devices that are there before the tasks start, @param parents that are registered,
   * @param driven a device whose driver does that
   */
  async begin(uuids: readonly string[] = [], parents = ["gpu0"], driven?: string): Promise<void> {
    for (const driver of this.drivers) await this.system.registerDriver(driver);
    for (const name of driven === undefined ? parents : [driven]) {
      const device = new Device(this.world.runtime, { name, bus: adapters as Bus });
      await this.system.addDevice(device);
      if (driven === undefined) this.register(device);
    }
    for (const each of uuids) await this.parent.create("full", each);
  }

  register(device: Device): void {
    this.#parents.push(this.mdev.registerParent(device, this.#init));
  }

  /** Nothing is left of what was made, and everything can be made anew. */
  async end(): Promise<void> {
    for (const parent of this.#parents) {
      if (parent.state === "registered") {
        for (const { uuid: left } of parent.mdevs()) await this.mdev.remove(left);
        await parent.create("full", uuid, { use: null });
      }
      await parent.unregister();
      const left = parent.mdevs().length;
      this.world.expect(left === 0, `${left} mdevs are left of ${parent.device.name}`);
      if (parent.device.registered) await this.system.removeDevice(parent.device);
      parent.device.put();
    }
    for (const driver of this.drivers) {
      if (this.system.findDriver(this.bus, driver.name) === driver)
        await this.system.unregisterDriver(driver);
    }
    await this.mdev.unregister();
  }

  /** What writing into the parent's `create` answers. */
  create(wanted = uuid, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    const file = "/sys/devices/gpu0/mdev_supported_types/toy-full/create";
    return outcomeOf(() => this.system.sysfs.write(file, wanted), ...answers);
  }

  /** What creating one that no driver is bound to answers. */
  make(wanted: string, answers: readonly ErrnoCode[], parent = this.parent): Promise<"done" | ErrnoCode> {
    return outcomeOf(() => parent.create("full", wanted, { use: null }), ...answers);
  }

  file(name: string, of = uuid): string {
    return `/sys/devices/gpu0/${of}/${name}`;
  }

  /** What writing into one of the device's files answers. */
  write(name: string, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return outcomeOf(() => this.system.sysfs.write(this.file(name), "1"), ...answers);
  }

  /** What writing into the device's `remove` answers. */
  remove(of = uuid, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return outcomeOf(() => this.system.sysfs.write(this.file("remove", of), "1"), ...answers);
  }

  bind(use: string, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return this.#byHand("bind", use, answers);
  }

  unbind(use: string, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return this.#byHand("unbind", use, answers);
  }

  #byHand(what: "bind" | "unbind", use: string, answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    const file = `/sys/bus/mdev/drivers/${use}/${what}`;
    return outcomeOf(() => this.system.sysfs.write(file, uuid), ...answers);
  }
}

export function named(name: string, plant: string | undefined): string {
  return plant === undefined ? name : `${name} (planted: ${plant})`;
}
