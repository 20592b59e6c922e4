/**
 * The C library's calls that shared memory needs, through koffi. The module is handed in: this package has no native dependency, and works
 * without one.
 */

/** What is used of koffi 3. */
export interface KoffiModule {
  load(path: string): { func(signature: string): unknown };
  view(address: bigint, length: number): ArrayBuffer;
  errno(): number;
}

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = 2n ** 64n - 1n;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const POLLIN = 1;
const pageBytes = 4096;

/** Seals of memory whose size can never change again: no access to it can fault. */
export const FIXED_SIZE_SEALS = F_SEAL_SHRINK | F_SEAL_GROW;

export class Libc {
  readonly #koffi: KoffiModule;
  readonly #memfdCreate: (name: string, flags: number) => number;
  readonly #close: (fd: number) => number;
  readonly #ftruncate: (fd: number, bytes: number) => number;
  readonly #fcntl: (fd: number, command: number, argument: number) => number;
  readonly #mmap: (
    at: bigint | null,
    bytes: number,
    prot: number,
    flags: number,
    fd: number,
    from: number,
  ) => bigint;
  readonly #munmap: (at: bigint, bytes: number) => number;
  readonly #poll: (fds: Int32Array, count: number, timeoutMs: number) => number;
  readonly #getsockopt: (
    fd: number,
    level: number,
    name: number,
    value: Int32Array,
    bytes: Int32Array,
  ) => number;
  readonly #pollfd = new Int32Array(2);
  /** Lets another thread run, if there is one that wants this processor. */
  readonly yield: () => number;

  /** @throws whatever koffi throws where the library or a symbol is missing */
  constructor(koffi: KoffiModule) {
    this.#koffi = koffi;
    const libc = koffi.load("libc.so.6");
    const bind = <F>(signature: string): F => libc.func(signature) as F;
    this.#memfdCreate = bind("int memfd_create(const char *name, unsigned int flags)");
    this.#close = bind("int close(int fd)");
    this.#ftruncate = bind("int ftruncate(int fd, int64_t length)");
    this.#fcntl = bind("int fcntl(int fd, int cmd, int arg)");
    this.#mmap = bind("void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)");
    this.#munmap = bind("int munmap(void *addr, size_t length)");
    this.#poll = bind("int poll(void *fds, unsigned long nfds, int timeout)");
    this.#getsockopt = bind("int getsockopt(int fd, int level, int name, void *value, void *length)");
    this.yield = bind("int sched_yield(void)");
  }

  /** Anonymous memory of a size that is sealed for ever. @returns a descriptor, closed on exec */
  createMemory(name: string, bytes: number): number {
    const fd = this.#memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    this.#check("memfd_create", fd);
    try {
      this.#check("ftruncate", this.#ftruncate(fd, bytes));
      this.#check("fcntl(F_ADD_SEALS)", this.#fcntl(fd, F_ADD_SEALS, FIXED_SIZE_SEALS | F_SEAL_SEAL));
      return fd;
    } catch (error) {
      this.close(fd);
      throw error;
    }
  }

  /** For descriptors from `createMemory`: worker threads keep count of their own, and Node's `closeSync` warns of others. */
  close(fd: number): void {
    this.#close(fd);
  }

  /** Seals of a memfd; throws EINVAL for a file that can have none. */
  seals(fd: number): number {
    return this.#check("fcntl(F_GET_SEALS)", this.#fcntl(fd, F_GET_SEALS, 0));
  }

  map(fd: number, bytes: number): bigint {
    return this.#address(this.#mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0));
  }

  /** Puts private zeros where a mapping was, and keeps the addresses reserved. */
  overlay(address: bigint, bytes: number): void {
    const flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
    this.#address(this.#mmap(address, bytes, PROT_READ_WRITE, flags, -1, 0));
  }

  unmap(address: bigint, bytes: number): void {
    this.#check("munmap", this.#munmap(address, bytes));
  }

  view(address: bigint, bytes: number): ArrayBuffer {
    return this.#koffi.view(address, bytes);
  }

  /** Blocks this thread until `fd` is readable or hung up, at most `timeoutMs`. */
  waitReadable(fd: number, timeoutMs: number): boolean {
    this.#pollfd[0] = fd;
    this.#pollfd[1] = POLLIN;
    // A signal ends the wait early; the caller looks again anyway.
    return this.#poll(this.#pollfd, 1, timeoutMs) > 0;
  }

  /** Who connected to, or listened on, a Unix socket; pid 0: somebody outside this process's pid namespace. */
  peerCredentials(fd: number): PeerCredentials {
    const value = new Int32Array(3);
    const bytes = new Int32Array([value.byteLength]);
    this.#check("getsockopt(SO_PEERCRED)", this.#getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, bytes));
    if (bytes[0] !== value.byteLength) throw new Error(`getsockopt(SO_PEERCRED) gave ${bytes[0]} bytes`);
    return { pid: value[0] as number, uid: value[1] as number, gid: value[2] as number };
  }

  #address(address: bigint): bigint {
    if (address === MAP_FAILED || address % BigInt(pageBytes) !== 0n) this.#check("mmap", -1);
    return address;
  }

  #check(call: string, result: number): number {
    if (result >= 0) return result;
    const errno = this.#koffi.errno();
    throw Object.assign(new Error(`${call} failed with errno ${errno}`), { errno });
  }
}
