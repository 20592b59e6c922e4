/**
 * Memory of a client behind a descriptor. It is read and written as a file, not mapped: a client that truncates its file while it is
 * mapped here would end this process (SIGBUS); a read says how much there is. Both see the same pages of the page cache.
 */
import { fstatSync, readSync, statfsSync, writeSync } from "node:fs";
import { KernelError } from "parhelion-core";
import type { UserMemory } from "../../iommu/user-memory.js";

/**
 * File systems whose files answer by themselves, by f_type (linux/magic.h): tmpfs, which memfds are on, ext4, xfs, btrfs, overlayfs.
 * One behind FUSE or a network could keep this process waiting; one of huge pages can't be written as a file.
 */
const reliable: ReadonlySet<number> = new Set([0x01021994, 0xef53, 0x58465342, 0x9123683e, 0x794c7630]);

export class MemoryFile implements UserMemory {
  readonly #fd: number;
  readonly #base: bigint;
  readonly #offset: bigint;
  #state: "lent" | "ended" = "lent";

  /** @param base address of the byte that lies at `offset` of the file. @param fd stays the caller's */
  constructor(fd: number, base: bigint, offset: bigint) {
    this.#fd = fd;
    this.#base = base;
    this.#offset = offset;
  }

  /**
   * Whether the memory may be reached through its descriptor; "message": by asking the client.
   * @throws KernelError EINVAL it is no memory, or has not as many bytes
   */
  static way(fd: number, offset: bigint, size: bigint): "descriptor" | "message" {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile())
      throw new KernelError("EINVAL", "DMA_MAP: the descriptor is of no file, which memory is");
    if (offset > stat.size || size > stat.size - offset)
      throw new KernelError("EINVAL", `DMA_MAP: ${size} bytes at ${offset} of a file that has ${stat.size}`);
    return reliable.has(statfsSync(`/proc/self/fd/${fd}`).type) ? "descriptor" : "message";
  }

  read(vaddr: bigint, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#through("read", vaddr, bytes, (at, position) =>
      readSync(this.#fd, bytes, at, length - at, position),
    );
    return bytes;
  }

  write(vaddr: bigint, bytes: Uint8Array): void {
    this.#through("write", vaddr, bytes, (at, position) =>
      writeSync(this.#fd, bytes, at, bytes.length - at, Number(position)),
    );
  }

  /** Its descriptor is about to be closed: a driver that is late must not reach whatever has its number next. */
  end(): void {
    this.#state = "ended";
  }

  #through(
    what: string,
    vaddr: bigint,
    bytes: Uint8Array,
    step: (at: number, position: bigint) => number,
  ): void {
    if (this.#state === "ended")
      throw new KernelError(
        "EFAULT",
        `${what} at 0x${vaddr.toString(16)}: the client's memory is not lent any more`,
      );
    const begin = vaddr - this.#base + this.#offset;
    let cause: unknown;
    for (let at = 0, count = 0; at < bytes.length; at += count) {
      try {
        count = step(at, begin + BigInt(at));
      } catch (error) {
        cause = error;
        count = 0;
      }
      if (count > 0) continue;
      throw new KernelError(
        "EFAULT",
        `${what} of ${bytes.length} bytes at 0x${vaddr.toString(16)}: the client's file does not have them`,
        { cause },
      );
    }
  }
}
