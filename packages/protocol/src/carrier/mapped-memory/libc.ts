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

/** What one look at a socket found. */
export type Received =
  | "later"
  | "end"
  /** `descriptor` -1: none came with these bytes, or more than one. */
  | { readonly bytes: Uint8Array; readonly descriptor: number };

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
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const EAGAIN = 11;
const EINTR = 4;
const POLLIN = 1;
const pageBytes = 4096;

/** Most bytes that travel with a descriptor. */
export const letterBytes = 16 * 1024;
/** Where in a letter's memory its parts are: struct msghdr at 0, struct iovec, struct cmsghdr with room for two descriptors. */
const vectorAt = 64;
const controlAt = 128;
const controlHeaderBytes = 16;
const controlBytes = 24;
const bodyAt = 4096;

/** Memory at a known address, for the C library's structs that point to each other. Lives as long as its owner. */
class Letter {
  readonly at: bigint;
  readonly view: DataView;
  readonly body: Uint8Array;

  constructor(at: bigint, memory: ArrayBuffer) {
    this.at = at;
    this.view = new DataView(memory);
    this.body = new Uint8Array(memory, bodyAt);
  }

  /** Fills in struct msghdr. */
  address(bytes: number, control: number): void {
    const { view, at } = this;
    for (let i = 0; i < 56; i += 8) view.setBigUint64(i, 0n, true);
    view.setBigUint64(16, at + BigInt(vectorAt), true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, at + BigInt(controlAt), true);
    view.setBigUint64(40, BigInt(control), true);
    view.setBigUint64(vectorAt, at + BigInt(bodyAt), true);
    view.setBigUint64(vectorAt + 8, BigInt(bytes), true);
  }
}

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
  readonly #sendmsg: (fd: number, message: bigint, flags: number) => number;
  readonly #recvmsg: (fd: number, message: bigint, flags: number) => number;
  #letter: Letter | undefined;
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
    this.#sendmsg = bind("int64_t sendmsg(int fd, void *message, int flags)");
    this.#recvmsg = bind("int64_t recvmsg(int fd, void *message, int flags)");
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

  /** Sends `bytes`, at most `letterBytes`, and the descriptor with them, or nothing at all. */
  sendDescriptor(socket: number, bytes: Uint8Array, descriptor: number): boolean {
    const letter = this.#letterPaper();
    letter.address(bytes.length, controlBytes);
    letter.body.set(bytes);
    letter.view.setBigUint64(controlAt, BigInt(controlHeaderBytes + 4), true);
    letter.view.setInt32(controlAt + 8, SOL_SOCKET, true);
    letter.view.setInt32(controlAt + 12, SCM_RIGHTS, true);
    letter.view.setInt32(controlAt + controlHeaderBytes, descriptor, true);
    return this.#sendmsg(socket, letter.at, MSG_DONTWAIT | MSG_NOSIGNAL) === bytes.length;
  }

  /** Takes what is there of a stream, and the descriptor that was sent with it. Never waits. @throws the system's error */
  receiveDescriptor(socket: number): Received {
    const letter = this.#letterPaper();
    letter.address(letterBytes, controlBytes);
    letter.view.setBigUint64(controlAt, 0n, true);
    const count = Number(this.#recvmsg(socket, letter.at, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    if (count < 0) {
      const errno = this.#koffi.errno();
      if (errno === EAGAIN || errno === EINTR) return "later";
      this.#check("recvmsg", count);
    }
    if (count === 0) return "end";
    let descriptor = -1;
    const controlLength = letter.view.getBigUint64(40, true);
    if (
      controlLength >= BigInt(controlHeaderBytes + 4) &&
      letter.view.getInt32(controlAt + 8, true) === SOL_SOCKET &&
      letter.view.getInt32(controlAt + 12, true) === SCM_RIGHTS
    ) {
      // There is room for two: nobody sends more than one who means it.
      const each = (Number(letter.view.getBigUint64(controlAt, true)) - controlHeaderBytes) / 4;
      const descriptors = Array.from({ length: each }, (_, i) =>
        letter.view.getInt32(controlAt + controlHeaderBytes + 4 * i, true),
      );
      const truncated = (letter.view.getInt32(48, true) & MSG_CTRUNC) !== 0;
      if (descriptors.length === 1 && !truncated) descriptor = descriptors[0] as number;
      else for (const fd of descriptors) this.close(fd);
    }
    return { bytes: letter.body.slice(0, count), descriptor };
  }

  /** One page and a body, made when first needed. */
  #letterPaper(): Letter {
    if (this.#letter === undefined) {
      const bytes = bodyAt + letterBytes;
      const flags = MAP_PRIVATE | MAP_ANONYMOUS;
      const at = this.#address(this.#mmap(null, bytes, PROT_READ_WRITE, flags, -1, 0));
      this.#letter = new Letter(at, this.view(at, bytes));
    }
    return this.#letter;
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
