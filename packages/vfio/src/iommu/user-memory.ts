/**
 * The user's memory, as far as the user shares it: bytes that both see, or messages that fetch and store. What a mapping
 * stands for.
 */
import { KernelError } from "parhelion-core";

/**
 * Addresses are the user's own (vaddr), those that MAP_DMA names. A call that has begun may still run when the mapping is
 * gone: nobody waits for it, and its result is forgotten.
 */
export interface UserMemory {
  /** @throws KernelError EFAULT, or what the way to the user says */
  read(vaddr: bigint, length: number): Uint8Array | Promise<Uint8Array>;
  /** @throws KernelError as `read` */
  write(vaddr: bigint, bytes: Uint8Array): void | Promise<void>;
  /** The bytes themselves, where both see them: no wait, no copy. Null: there are none, use `read` and `write`. */
  view?(vaddr: bigint, length: number): Uint8Array | null;
  /** For memory that `read` and `write` never wait for, though nobody sees it: the same, at once. */
  readonly atOnce?: MemoryAtOnce;
}

export interface MemoryAtOnce {
  /** @throws KernelError as `UserMemory.read` */
  read(vaddr: bigint, length: number): Uint8Array;
  /** @throws KernelError as `UserMemory.read` */
  write(vaddr: bigint, bytes: Uint8Array): void;
}

/** Memory of this process, or shared with it. @param base the address of the first byte */
export function bytesMemory(bytes: Uint8Array, base = 0n): UserMemory {
  const view = (vaddr: bigint, length: number): Uint8Array => {
    // What a number can't hold exactly is far beyond the end of any bytes.
    const offset = Number(vaddr - base);
    if (offset < 0 || offset + length > bytes.length) {
      throw new KernelError(
        "EFAULT",
        `${length} bytes at 0x${vaddr.toString(16)} are not within the user's ${bytes.length}`,
      );
    }
    return bytes.subarray(offset, offset + length);
  };
  return {
    read: (vaddr, length) => view(vaddr, length).slice(),
    write: (vaddr, data) => view(vaddr, data.length).set(data),
    view,
  };
}
