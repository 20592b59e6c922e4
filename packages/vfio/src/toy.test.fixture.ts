/** A system with VFIO and a toy device: two regions, three kinds of interrupts, and an account of every callback. */
import { type Bus, createRuntime, Device, type Runtime, System } from "parhelion-core";
import {
  type ContainerFile,
  type DeviceFile,
  type GroupFile,
  type IommufdFile,
  type RegisterOptions,
  Vfio,
  VfioDevice,
  type VfioDeviceInit,
  type VfioDeviceOps,
  type VfioOptions,
} from "./index.js";

export const toyBus: Bus = { name: "toy", match: () => false };

/** Region 0 is 4096 bytes of memory, 1 is 16 bytes for reading, 2 does not exist, 3 is 8192 bytes of which the second half can be mapped. */
export class Toy {
  readonly trace: string[] = [];
  readonly memory = new Uint8Array(4096);
  readonly large = new Uint8Array(8192);
  device: VfioDevice | null = null;

  ops(parts: Partial<VfioDeviceOps> = {}): VfioDeviceOps {
    const { trace } = this;
    return {
      openDevice: () => void trace.push("open"),
      closeDevice: () => void trace.push("close"),
      regions: () => [
        { size: 4096, access: "read-write", mmap: "whole" },
        { size: 16, access: "read", type: { type: 2, subtype: 1 } },
        { size: 0, access: "none" },
        { size: 8192, access: "read-write", mmap: [{ offset: 4096, size: 4096 }] },
      ],
      irqs: () => [{ count: 1, automasked: true }, { count: 4, noresize: true }, { count: 1 }],
      read: (region, offset, length) => this.bytes(region).slice(offset, offset + length),
      write: (region, offset, bytes) => this.bytes(region).set(bytes, offset),
      map: (region, offset, length) => ({ bytes: this.bytes(region).subarray(offset, offset + length) }),
      setIrqs: ({ action, index }) => void trace.push(`irqs ${action} ${index}`),
      reset: () => {
        trace.push("reset");
        this.memory.fill(0);
      },
      request: (count) => void trace.push(`request ${count}`),
      release: () => void trace.push("release"),
      ...parts,
    };
  }

  bytes(region: number): Uint8Array {
    return region === 3 ? this.large : this.memory;
  }
}

export interface Rig {
  readonly runtime: Runtime;
  readonly system: System;
  readonly vfio: Vfio;
  device(toy: Toy, init?: Partial<VfioDeviceInit>, parts?: Partial<VfioDeviceOps>): Promise<VfioDevice>;
  registered(
    toy: Toy,
    options?: RegisterOptions,
    parts?: Partial<VfioDeviceOps>,
    init?: Partial<VfioDeviceInit>,
  ): Promise<VfioDevice>;
  /** Unregisters and gives the creator's reference back. */
  gone(device: VfioDevice): Promise<void>;
  end(): Promise<void>;
}

export async function rig(options: VfioOptions = {}, runtime = createRuntime()): Promise<Rig> {
  const system = new System(runtime);
  system.registerBus(toyBus);
  const vfio = await Vfio.create(system, options);
  const parents: Device[] = [];
  const device: Rig["device"] = async (toy, init = {}, parts = {}) => {
    const parent = new Device(runtime, { name: `toy${parents.length}`, bus: toyBus });
    await system.addDevice(parent);
    parents.push(parent);
    toy.device = new VfioDevice(vfio, { parent, ops: () => toy.ops(parts), ...init });
    return toy.device;
  };
  return {
    runtime,
    system,
    vfio,
    device,
    async registered(toy, how = { iommu: "emulated" }, parts = {}, init = {}) {
      const made = await device(toy, init, parts);
      await vfio.register(made, how);
      return made;
    },
    async gone(made) {
      await vfio.unregister(made);
      made.put();
    },
    async end() {
      for (const parent of parents) await system.unregisterDevice(parent);
      await vfio.close();
    },
  };
}

export async function openNode(system: System, name: string, uid = 0): Promise<unknown> {
  const node = system.nodes.get(name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node.open({ uid });
}

export const openDevice = async (system: System, name = "vfio0") =>
  (await openNode(system, name)) as DeviceFile;
export const openGroup = async (system: System, name = "vfio-0", uid = 0) =>
  (await openNode(system, name, uid)) as GroupFile;
export const openContainer = async (system: System, uid = 0) =>
  (await openNode(system, "vfio", uid)) as ContainerFile;
export const openIommufd = async (system: System) => (await openNode(system, "iommu")) as IommufdFile;
