/** A device in use by its own file, the shortest way: opened, bound to an iommufd, and attached to an address space. */
import { KernelError, type Opener, type System, type WaitOptions } from "parhelion-core";
import { deviceCall, iommufdCall } from "../device/call.js";
import type { DeviceCalls, DeviceFile } from "../device/calls.js";
import { type MapAccess, type OpenDevice, type SharedMemory, sharedBytes } from "../device/open-device.js";
import { bytesMemory, type UserMemory } from "../iommu/user-memory.js";
import { IoasMapFlag, type IommufdFile } from "./calls.js";

export class AttachedDevice implements OpenDevice {
  readonly file: DeviceFile;
  readonly iommufd: IommufdFile;
  readonly ioasId: number;

  private constructor(file: DeviceFile, iommufd: IommufdFile, ioasId: number) {
    this.file = file;
    this.iommufd = iommufd;
    this.ioasId = ioasId;
  }

  /** @param name of the device's node, as `vfio0` @throws KernelError ENODEV there is none, EBUSY its group is open, EINVAL it is in use, and what the driver's open throws */
  static async open(
    system: System,
    name: string,
    opener: Opener = {},
    options?: WaitOptions,
  ): Promise<AttachedDevice> {
    const iommufd = (await nodeOf(system, "iommu").open(opener, options)) as unknown as IommufdFile;
    try {
      const file = (await nodeOf(system, name).open(opener, options)) as unknown as DeviceFile;
      try {
        await deviceCall(file, "BIND_IOMMUFD", { argsz: 16, flags: 0, iommufd }, options);
        const { ioasId } = await iommufdCall(iommufd, "IOAS_ALLOC", { flags: 0 }, options);
        await deviceCall(file, "ATTACH_IOMMUFD_PT", { argsz: 12, flags: 0, ptId: ioasId }, options);
        return new AttachedDevice(file, iommufd, ioasId);
      } catch (error) {
        await file.close(options);
        throw error;
      }
    } catch (error) {
      await iommufd.close(options);
      throw error;
    }
  }

  get name(): string {
    return this.file.name;
  }

  call<K extends keyof DeviceCalls>(
    op: K,
    argument: DeviceCalls[K]["request"],
    options?: WaitOptions,
  ): Promise<DeviceCalls[K]["reply"]> {
    return deviceCall(this.file, op, argument, options);
  }

  /** @param vaddr where it is in `memory` @throws KernelError as IOAS_MAP */
  async map(
    iova: bigint,
    length: bigint,
    memory: UserMemory,
    access: MapAccess = "read-write",
    vaddr = 0n,
    options?: WaitOptions,
  ): Promise<void> {
    const { FIXED_IOVA, READABLE, WRITEABLE } = IoasMapFlag;
    const flags = FIXED_IOVA | (access === "write" ? 0 : READABLE) | (access === "read" ? 0 : WRITEABLE);
    const { ioasId, iommufd } = this;
    await iommufdCall(iommufd, "IOAS_MAP", { ioasId, flags, iova, length, userVa: vaddr, memory }, options);
  }

  /** @throws KernelError as IOAS_MAP */
  async share(
    iova: bigint,
    length: number,
    access: MapAccess = "read-write",
    options?: WaitOptions,
  ): Promise<SharedMemory> {
    const bytes = new Uint8Array(length);
    await this.map(iova, BigInt(length), bytesMemory(bytes), access, 0n, options);
    return sharedBytes(bytes);
  }

  /** @returns how many bytes @throws KernelError as IOAS_UNMAP */
  async unmap(iova: bigint, length: bigint, options?: WaitOptions): Promise<bigint> {
    const { ioasId, iommufd } = this;
    return (await iommufdCall(iommufd, "IOAS_UNMAP", { ioasId, iova, length }, options)).length;
  }

  /** Works after the device is gone. @throws KernelError EBADF it was closed before, ETIMEDOUT */
  async close(options?: WaitOptions): Promise<void> {
    try {
      await this.file.close(options);
    } finally {
      await this.iommufd.close(options);
    }
  }
}

function nodeOf(system: System, name: string) {
  const node = system.nodes.get(name);
  if (node !== undefined) return node;
  throw new KernelError("ENODEV", `there is no node ${name}`);
}
