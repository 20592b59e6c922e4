/**
 * The mdev bus of one system: parents, and the devices made of them. Nobody finds drivers for these devices: a device is
 * bound to the driver of the use that it was created for, and changes its use when it is unbound and bound to another
 * that its parent allows. See docs/adr/0010.
 */
import {
  type Bus,
  call,
  type Device,
  type DeviceClass,
  KernelError,
  noDeadline,
  type System,
  type WaitOptions,
} from "parhelion-core";
import { MdevDevice, type MdevDriver } from "./device.js";
import { MdevParent, type MdevSurroundings } from "./parent.js";
import { checkParent } from "./parent-check.js";
import type { MdevParentInit } from "./parent-init.js";
import { parseUuid, TakenUuids } from "./uuid.js";

export class MdevBus {
  readonly system: System;
  /** To register drivers on. */
  readonly bus: Bus<MdevDevice, MdevDriver>;
  readonly #class: DeviceClass;
  readonly #parents = new Map<Device, MdevParent>();
  readonly #around: MdevSurroundings;
  readonly #ended: () => void;

  /** @throws KernelError EEXIST the system has an mdev bus */
  constructor(system: System) {
    this.system = system;
    this.bus = createBus();
    this.#class = { name: "mdev_bus", groups: [{ attributes: [], links: () => this.#links() }] };
    // The bus goes first: who comes meanwhile is refused here, and leaves nothing.
    system.registerClass(this.#class);
    system.registerBus(this.bus as Bus);
    this.#around = {
      system,
      bus: this.bus as Bus,
      uuids: new TakenUuids(system.runtime),
      unregistered: (device) => this.#forget(device),
    };
    this.#ended = system.onBusEvent(this.bus as Bus, (event, device) => {
      if (event !== "del-device" && event !== "removed-device") return;
      if (!(device instanceof MdevDevice)) return;
      this.parentOf(device)?.told(event === "del-device" ? "leaving" : "removed", device);
    });
  }

  /**
   * Offers the device's types. To be ended by `MdevParent.unregister` before the device is removed.
   * @throws KernelError EINVAL a name that can't stand in the tree, no type or no use; EEXIST the device is a parent, or
   * two types have one name; ENODEV it is not registered
   */
  registerParent<S, O = unknown>(device: Device, init: MdevParentInit<S, O>): MdevParent<S, O> {
    const { runtime } = this.system;
    runtime.scheduler.access(this.#around.uuids, "write");
    if (this.#parents.has(device)) {
      throw new KernelError("EEXIST", `${device.devpath} is an mdev parent already`);
    }
    checkParent(device, init);
    const parent = new MdevParent(device, init, this.#around);
    this.#parents.set(device, parent as MdevParent);
    this.system.announceChange(device, [["MDEV_STATE", "registered"]]);
    return parent;
  }

  /** Oldest first. */
  parents(): readonly MdevParent[] {
    this.system.runtime.scheduler.access(this.#around.uuids, "read");
    return [...this.#parents.values()];
  }

  /** What the device was made of. */
  parentOf(mdev: Device): MdevParent | undefined {
    this.system.runtime.scheduler.access(this.#around.uuids, "read");
    return mdev.parent === null ? undefined : this.#parents.get(mdev.parent);
  }

  /** The registered device of that uuid. */
  find(uuid: string): MdevDevice | undefined {
    return this.system.findDevice(this.bus as Bus, uuid.toLowerCase()) as MdevDevice | undefined;
  }

  /** @throws KernelError as `MdevParent.remove` */
  async remove(uuid: string, options?: WaitOptions): Promise<void> {
    await this.parentOf(this.#found(uuid))?.remove(uuid, options);
  }

  /**
   * Unbinds the device and binds it to the driver of another use, or to none. When that driver refuses it stays without.
   * A use that it has already is left as it is.
   * @throws KernelError EINVAL no uuid; ENODEV no such device, or it may not have that use, or nobody provides it; EAGAIN
   * it is being created; EBUSY somebody else has bound it meanwhile; ETIMEDOUT: it goes on; and what probe throws
   */
  async setUse(uuid: string, use: string | null, options?: WaitOptions): Promise<void> {
    const mdev = this.#found(uuid);
    const driver = use === null ? null : this.system.findDriver(this.bus as Bus, use);
    if (driver === undefined || (use !== null && !mdev.uses.includes(use))) {
      throw new KernelError(
        "ENODEV",
        `mdev ${uuid} can't be used as ${use}; its parent allows ${mdev.uses.join(", ")}, if there is such a driver`,
      );
    }
    if (mdev.life.state === "creating") throw stillCreated(mdev);
    if (use !== null && mdev.use === use) return;
    mdev.get();
    const change = async (): Promise<void> => {
      try {
        await this.system.detach(mdev, undefined, { deadline: noDeadline });
        if (driver !== null) await this.system.bind(driver, mdev.name, { deadline: noDeadline });
      } finally {
        mdev.put();
      }
    };
    await call(this.system.runtime, `use mdev ${mdev.uuid} as ${use}`, change, options);
  }

  /** @throws KernelError EBUSY it has parents or drivers, EINVAL it was unregistered before, ETIMEDOUT as `System.unregisterBus` */
  async unregister(options?: WaitOptions): Promise<void> {
    if (this.parents().length > 0)
      throw new KernelError("EBUSY", "the mdev bus has parents; unregister them");
    await this.system.unregisterBus(this.bus as Bus, options);
    await this.system.unregisterClass(this.#class, options);
    this.#ended();
  }

  #found(uuid: string): MdevDevice {
    const mdev = this.find(parseUuid(uuid));
    if (mdev === undefined) throw new KernelError("ENODEV", `there is no mdev ${uuid}`);
    return mdev;
  }

  #forget(device: Device): void {
    this.system.runtime.scheduler.access(this.#around.uuids, "write");
    this.#parents.delete(device);
  }

  /** In /sys/class/mdev_bus, where tools look for parents. */
  #links(): ReadonlyMap<string, string> {
    const links = new Map<string, string>();
    for (const { device, state } of this.parents()) {
      if (state === "registered" && !links.has(device.name)) links.set(device.name, device.devpath);
    }
    return links;
  }
}

function createBus(): Bus<MdevDevice, MdevDriver> {
  return {
    name: "mdev",
    binding: "by hand",
    match(device, driver) {
      if (!device.uses.includes(driver.name)) return false;
      if (device.life.state !== "creating") return true;
      throw stillCreated(device);
    },
    probe(device, driver) {
      if (device.uses.includes(driver.name)) return driver.probe(device);
      throw new KernelError(
        "ENODEV",
        `${driver.name} may not have mdev ${device.uuid}; its parent allows ${device.uses.join(", ")}`,
      );
    },
  };
}

function stillCreated({ uuid }: MdevDevice): KernelError {
  return new KernelError("EAGAIN", `mdev ${uuid} is still being created; try again`);
}
