/**
 * What the programs about VFIO devices stand on: a driver that makes one of what it is bound to, and notices what must not
 * happen: a callback outside of open and close, two opens without a close, a use of what release has taken down.
 */
import {
  type Bus,
  Device,
  type Driver,
  type ErrnoCode,
  noDeadline,
  type Runtime,
  System,
} from "parhelion-core";
import { type CallbackWindow, outcomeOf, type World, watchDriver, watchSystem } from "parhelion-explorer";
import {
  AttachedDevice,
  type DeviceFile,
  deviceCall,
  Vfio,
  VfioDevice,
  type VfioDeviceInit,
  type VfioDeviceOps,
  type VfioOptions,
} from "../index.js";

export const busOf: Bus = {
  name: "toy",
  match: (device, driver) => (device as Device).name.startsWith((driver as Driver).name),
};

export interface StageInit {
  readonly options?: VfioOptions;
  /** Callbacks that are otherwise. */
  ops?(stage: VfioStage): Partial<VfioDeviceOps>;
  /** The driver is otherwise. */
  driver?(stage: VfioStage): Partial<Driver<Device, VfioDevice>>;
  /** A device that is otherwise. */
  readonly DeviceClass?: new (
    vfio: Vfio,
    init: VfioDeviceInit,
  ) => VfioDevice;
}

/** How a device goes: it is taken from its users, and no more; or its driver is unbound. */
export type Going = "taken" | "unbound";

export class VfioStage {
  readonly world: World;
  /**
   * No wait has a deadline that it was not given: nothing here is meant to be ended by one, so whatever would be is a
   * deadlock. And waits that have nothing in common but their deadline need no order.
   */
  readonly runtime: Runtime;
  readonly system: System;
  readonly driver: Driver;
  /** Between open and close. */
  readonly openWindow: CallbackWindow;
  readonly #init: StageInit;
  #vfio: Vfio | null = null;
  #parent: Device | null = null;
  #device: VfioDevice | null = null;

  constructor(world: World, init: StageInit = {}) {
    this.world = world;
    this.#init = init;
    this.runtime = { ...world.runtime, patienceMs: noDeadline };
    this.system = new System(this.runtime);
    this.system.registerBus(busOf);
    watchSystem(world, this.system, [busOf]);
    this.openWindow = world.window("open device");
    this.driver = watchDriver<Device, VfioDevice>(world, {
      name: "toy",
      bus: busOf,
      probe: async (device) => {
        const made = this.make(device);
        await this.vfio.register(made, { iommu: "emulated" });
        return made;
      },
      remove: async (_device, made) => {
        await this.vfio.unregister(made);
        made.put();
      },
      ...init.driver?.(this),
    }) as Driver;
  }

  get vfio(): Vfio {
    if (this.#vfio === null) throw new Error("not yet");
    return this.#vfio;
  }

  get parent(): Device {
    if (this.#parent === null) throw new Error("not yet");
    return this.#parent;
  }

  get device(): VfioDevice {
    if (this.#device === null) throw new Error("not yet");
    return this.#device;
  }

  make(parent: Device): VfioDevice {
    const { DeviceClass = VfioDevice } = this.#init;
    this.#device = new DeviceClass(this.vfio, { parent, ops: () => this.ops() });
    return this.#device;
  }

  /** @param bound whether the driver has its device before the tasks start */
  async begin(bound: "bound" | "unbound" = "bound"): Promise<void> {
    this.#vfio = await Vfio.create(this.system, this.#init.options);
    const parent = new Device(this.runtime, { name: "toy0", bus: busOf });
    this.#parent = parent;
    if (bound === "bound") await this.system.registerDriver(this.driver);
    await this.system.addDevice(parent);
  }

  /** Everything goes, in the order in which it can. */
  async end(): Promise<void> {
    if (this.system.findDriver(busOf, "toy") !== undefined) await this.system.unregisterDriver(this.driver);
    if (this.parent.registered) await this.system.removeDevice(this.parent);
    this.parent.put();
    await this.vfio.close();
  }

  go(how: Going): Promise<void> {
    return how === "taken" ? this.vfio.retire(this.device) : this.system.detach(this.parent);
  }

  attached(): Promise<AttachedDevice> {
    return AttachedDevice.open(this.system, "vfio0");
  }

  /** Reads once, as a user does who may lose a race. */
  read(file: DeviceFile): Promise<"done" | ErrnoCode> {
    return outcomeOf(() => deviceCall(file, "READ", { offset: 0n, length: 4 }), "ENODEV");
  }

  /** What one device does. */
  ops(): VfioDeviceOps {
    const { world } = this;
    const memory = world.allocate("device data", { opens: 0, uses: 0 });
    return {
      openDevice: async () => {
        world.expect(memory.opens === 0, "it is opened twice");
        memory.opens = 1;
        await world.point("opening");
        this.openWindow.open();
      },
      closeDevice: async () => {
        this.openWindow.close();
        world.expect(memory.opens === 1, "it is closed without being open");
        await world.point("closing");
        memory.opens = 0;
      },
      regions: () => [{ size: 4096, access: "read-write" }],
      irqs: () => [{ count: 1 }],
      read: (_region, _offset, length) =>
        this.openWindow.during("read", async () => {
          await world.point("reading");
          world.expect(memory.opens === 1, "it is read and not open");
          return new Uint8Array(length);
        }),
      write: (_region, _offset, bytes) =>
        this.openWindow.during("write", async () => {
          await world.point("writing");
          world.expect(memory.opens === 1, "it is written and not open");
          return bytes.length;
        }),
      release: () => {
        world.expect(memory.opens === 0, "it is released and open");
        world.free(memory);
      },
      ...this.#init.ops?.(this),
    };
  }
}

/** Begins with somebody who has the device. */
export async function beginWithUser(stage: VfioStage & { user?: AttachedDevice }): Promise<void> {
  await stage.begin();
  stage.user = await stage.attached();
}

export function named(name: string, plant: string | undefined): string {
  return plant === undefined ? name : `${name} (planted: ${plant})`;
}
