/**
 * Memory of a client behind a descriptor. It is read and written as a file, not mapped: a client that truncates its file while it is
 * mapped here would end this process (SIGBUS); a read says how much there is. Both see the same pages of the page cache.
 */
import { fstatSync, readFileSync, readlinkSync, readSync, statfsSync, writeSync } from "node:fs";
import { KernelError } from "parhelion-core";
import type { UserMemory } from "../../iommu/user-memory.js";

/**
 * File systems whose files answer by themselves, by f_type (linux/magic.h): tmpfs, which memfds are on, ext4, xfs, btrfs, overlayfs.
 * One behind FUSE or a network could keep this process waiting; one of huge pages can't be written as a file.
 */
const reliable: ReadonlySet<number> = new Set([0x01021994, 0xef53, 0x58465342, 0x9123683e, 0x794c7630]);
/** The same by name, and what has none of their files but can be asked what it is. */
const reliableNames: ReadonlySet<string> = new Set([
  "tmpfs",
  "devtmpfs",
  "ext2",
  "ext3",
  "ext4",
  "xfs",
  "btrfs",
  "overlay",
]);
/** O_APPEND, O_DIRECT (of x86-64 and of arm64), O_PATH: no file to be written to anywhere, or in any piece. */
const unusable = 0o2000 | 0o40000 | 0o200000 | 0o10000000;

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
   * @param sealable as `Libc.isSealable`
   * @throws KernelError EINVAL it is no memory, or has not as many bytes
   */
  static way(fd: number, offset: bigint, size: bigint, sealable: boolean): "descriptor" | "message" {
    if (!readlinkSync(`/proc/self/fd/${fd}`).startsWith("/")) throw noFile();
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
    // Even its size is asked of the file system, which may never say.
    if (!sealable && !reliableNames.has(fileSystemOf(info))) return "message";
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) throw noFile();
    if (offset > stat.size || size > stat.size - offset)
      throw new KernelError("EINVAL", `DMA_MAP: ${size} bytes at ${offset} of a file that has ${stat.size}`);
    // Node writes to positions that a number can name exactly.
    if (offset + size > BigInt(Number.MAX_SAFE_INTEGER)) return "message";
    if ((flagsOf(info) & unusable) !== 0) return "message";
    return reliable.has(statfsSync(`/proc/self/fd/${fd}`).type) ? "descriptor" : "message";
  }

  /** What a driver waits for is no longer than the system call. */
  get atOnce(): this {
    return this;
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

function noFile(): KernelError {
  return new KernelError("EINVAL", "DMA_MAP: the descriptor is of no file, which memory is");
}

/** @param info of a descriptor, as proc(5) has it in fdinfo. @returns "" where it is of a mount that is not this process's */
function fileSystemOf(info: string): string {
  const mount = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
  const mounts = readFileSync("/proc/self/mountinfo", "latin1").split("\n");
  const line = mounts.find((each) => each.startsWith(`${mount} `));
  return / - (\S+) /.exec(line ?? "")?.[1] ?? "";
}

function flagsOf(info: string): number {
  return Number.parseInt(/^flags:\s*(\d+)$/m.exec(info)?.[1] ?? "0", 8);
}
