/**
 * Serial cards as mediated devices: of a fixed number of ports, cards with one or two are made on demand. How many more of each
 * there can be follows from the ports that are left.
 */
import type { MdevBus, MdevDevice, MdevDriver, MdevParent, MdevType } from "parhelion-buses";
import { type Bus, Device, KernelError, type Named, type System } from "parhelion-core";
import { DeviceFlag } from "../../device/calls.js";
import { createVfioMdevDriver } from "../../mdev/driver.js";
import type { Vfio } from "../../vfio.js";
import type { SerialPorts } from "./serial-config.js";
import { type PlugPort, serialDeviceOps } from "./serial-device.js";

/** As many as the kernel's sample has. */
export const SERIAL_PORTS = 24;
/** The driver's, and what the names of the types begin with. */
const driverName = "serial";

export interface SerialShare {
  readonly ports: SerialPorts;
}

const portsOf: Readonly<Record<string, SerialPorts>> = { "1": 1, "2": 2 };

const types: readonly MdevType[] = [
  { name: "1", deviceApi: "vfio-pci", prettyName: "Single port serial" },
  { name: "2", deviceApi: "vfio-pci", prettyName: "Dual port serial" },
];

export class SerialParent implements Named {
  readonly name: string;
  readonly device: Device;
  readonly #system: System;
  readonly #all: number;
  #taken = 0;
  #parent: MdevParent<SerialShare> | null = null;

  private constructor(system: System, name: string, ports: number) {
    this.#system = system;
    this.name = name;
    this.#all = ports;
    this.device = new Device(system.runtime, { name });
  }

  /** @throws KernelError as `System.addDevice` and `MdevBus.registerParent` */
  static async register(mdev: MdevBus, name = "serial", ports = SERIAL_PORTS): Promise<SerialParent> {
    const { system } = mdev;
    const made = new SerialParent(system, name, ports);
    await system.addDevice(made.device);
    try {
      made.#parent = mdev.registerParent<SerialShare>(made.device, {
        driverName,
        types,
        uses: [driverName],
        available: {
          policy: "computed",
          of: ({ name: type }) => Math.floor(made.left / (portsOf[type] ?? 1)),
        },
        create: ({ type }) => made.#take(portsOf[type.name] ?? 1),
        release: (share) => made.#give(share),
      });
      return made;
    } catch (error) {
      await system.unregisterDevice(made.device);
      throw error;
    }
  }

  /** Ports of no card. */
  get left(): number {
    this.#access("read");
    return this.#all - this.#taken;
  }

  /** @throws KernelError ENOSPC too few ports are left, and as `MdevParent.create` */
  create(ports: SerialPorts, uuid: string): Promise<MdevDevice<SerialShare>> {
    if (this.#parent === null) throw new KernelError("ENODEV", `${this.name} is not registered`);
    return this.#parent.create(String(ports), uuid);
  }

  /** Takes every card from its user. */
  async unregister(): Promise<void> {
    await this.#parent?.unregister();
    this.#parent = null;
    await this.#system.unregisterDevice(this.device);
  }

  /** What others were told is left is only advice: here it is decided. */
  #take(ports: SerialPorts): SerialShare {
    const { left } = this;
    if (ports > left)
      throw new KernelError("ENOSPC", `${this.name}: ${ports} ports wanted, ${left} of ${this.#all} left`);
    this.#access("write");
    this.#taken += ports;
    return { ports };
  }

  #give({ ports }: SerialShare): void {
    this.#access("write");
    this.#taken -= ports;
  }

  #access(mode: "read" | "write"): void {
    this.#system.runtime.scheduler.access(this, mode);
  }
}

/** The driver of what such a parent makes. @param plug what each port is plugged into */
export function createSerialDriver(vfio: Vfio, mdev: MdevBus, plug: PlugPort): MdevDriver {
  return createVfioMdevDriver(vfio, {
    name: driverName,
    bus: mdev.bus as Bus,
    device: (device) => ({
      flags: DeviceFlag.PCI,
      ops: (vdev) =>
        serialDeviceOps(vdev, {
          runtime: mdev.system.runtime,
          name: `serial card ${device.name}`,
          ports: (device as MdevDevice<SerialShare>).state.ports,
          plug,
        }),
    }),
  });
}
