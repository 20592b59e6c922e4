/**
 * A VFIO device as whoever uses it has it, wherever the device is: in this process, or behind a socket. What is written against this
 * works with both.
 */
import type { WaitOptions } from "parhelion-core";
import type { UserMemory } from "../iommu/user-memory.js";
import type { DeviceCalls } from "./calls.js";

export type MapAccess = "read" | "write" | "read-write";

/** Memory that its user and the device both reach. Offsets count from its begin; what is beyond its end is a RangeError. */
export interface SharedMemory {
  /** In bytes. */
  readonly length: number;
  /** Fills `into` from there on. @throws KernelError EFAULT it is not shared any more */
  read(at: number, into: Uint8Array): void;
  /** @throws KernelError as `read` */
  write(at: number, bytes: Uint8Array): void;
}

export interface OpenDevice {
  /** For people: its node's name, or its socket's path. */
  readonly name: string;
  /** @throws KernelError as the call; ENODEV the device is gone, EBADF it was closed, ETIMEDOUT */
  call<K extends keyof DeviceCalls>(
    op: K,
    argument: DeviceCalls[K]["request"],
    options?: WaitOptions,
  ): Promise<DeviceCalls[K]["reply"]>;
  /**
   * Lends the device memory of the user's.
   * @param iova where the device finds it, whole pages @param vaddr where it is in `memory`
   * @throws KernelError EEXIST it overlaps, EINVAL no whole pages
   */
  map(
    iova: bigint,
    length: bigint,
    memory: UserMemory,
    access?: MapAccess,
    vaddr?: bigint,
    options?: WaitOptions,
  ): Promise<void>;
  /**
   * Makes memory that both reach the shortest way there is, all zeros, and lends it to the device. It ends when it is unmapped, and
   * with the device.
   * @param length in bytes, whole pages @throws KernelError as `map`
   */
  share(iova: bigint, length: number, access?: MapAccess, options?: WaitOptions): Promise<SharedMemory>;
  /** @returns how many bytes @throws KernelError ENOENT or EINVAL nothing is there, or only some of a mapping is named */
  unmap(iova: bigint, length: bigint, options?: WaitOptions): Promise<bigint>;
  /** Works after the device is gone. @throws KernelError EBADF it was closed before, ETIMEDOUT */
  close(options?: WaitOptions): Promise<void>;
}

/** Memory of this process as shared memory. */
export function sharedBytes(bytes: Uint8Array): SharedMemory {
  return {
    length: bytes.length,
    read: (at, into) => into.set(within(bytes, at, into.length)),
    write: (at, data) => within(bytes, at, data.length).set(data),
  };
}

function within(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at >= 0 && at + length <= bytes.length) return bytes.subarray(at, at + length);
  throw new RangeError(`${length} bytes at ${at} of ${bytes.length} that are shared`);
}
