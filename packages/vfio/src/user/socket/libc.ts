/**
 * What the server asks of the C library, through koffi, because Node has no way to receive descriptors over a socket. koffi is an
 * optional dependency and is handed in: without it the server does without descriptors.
 */

/** What is used of koffi 3. */
export interface KoffiModule {
  load(path: string): { func(signature: string): unknown };
  view(address: bigint, length: number): ArrayBuffer;
  errno(): number;
}

/** What one look at a socket found; descriptors are the caller's from here on. */
export type Received = "later" | "end" | ReceivedPiece;

export interface ReceivedPiece {
  readonly bytes: Uint8Array;
  readonly fds: readonly number[];
  /** "lost": the kernel had no room for all that were sent with the bytes, and closed the others. */
  readonly descriptors: "all" | "lost";
}

/** Memory outside of JavaScript, at an address that the kernel can be told. */
export interface Memory {
  readonly at: bigint;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** No view of it may be used from here on. */
  free(): void;
}

type Mmap = (
  at: bigint | null,
  bytes: number,
  prot: number,
  flags: number,
  fd: number,
  from: number,
) => bigint;
type Syscall = (number: number, a: bigint, b: bigint, c: bigint, d: bigint, e: bigint) => number | bigint;

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FAILED = 2n ** 64n - 1n;
const MSG_CTRUNC = 0x8;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
const F_DUPFD_CLOEXEC = 1030;
const F_GET_SEALS = 1034;
const EINTR = 4;
const EAGAIN = 11;
const POLLIN = 1;
const SHUT_RD = 0;
const EPOLL_CLOEXEC = 0x80000;
const EFD_CLOEXEC_NONBLOCK = 0x80800;
const RWF_NOWAIT = 8;
const EOPNOTSUPP = 95;

export class Libc {
  readonly #koffi: KoffiModule;
  readonly #close: (fd: number) => number;
  readonly #epollCreate: (flags: number) => number;
  readonly #epollControl: (epoll: number, operation: number, fd: number, event: bigint) => number;
  readonly #epollWait: (epoll: number, events: bigint, most: number, timeoutMs: number) => number;
  readonly #eventfd: (count: number, flags: number) => number;
  readonly #fcntl: (fd: number, command: number, argument: number) => number;
  readonly #mmap: Mmap;
  readonly #munmap: (at: bigint, bytes: number) => number;
  readonly #preadv2: (
    fd: number,
    vector: bigint,
    count: number,
    at: number,
    flags: number,
  ) => number | bigint;
  readonly #poll: (fds: Int32Array, count: number, timeoutMs: number) => number;
  readonly #shutdown: (fd: number, how: number) => number;
  readonly #recvmsg: (fd: number, message: bigint, flags: number) => number | bigint;
  readonly #syscall: Syscall;

  /** @throws whatever koffi throws where the library or a symbol is missing */
  constructor(koffi: KoffiModule) {
    this.#koffi = koffi;
    const libc = koffi.load("libc.so.6");
    const bind = <F>(signature: string): F => libc.func(signature) as F;
    this.#close = bind("int close(int fd)");
    this.#epollCreate = bind("int epoll_create1(int flags)");
    this.#epollControl = bind("int epoll_ctl(int epfd, int op, int fd, void *event)");
    this.#epollWait = bind("int epoll_wait(int epfd, void *events, int maxevents, int timeout)");
    this.#eventfd = bind("int eventfd(unsigned int initval, int flags)");
    this.#preadv2 = bind("int64_t preadv2(int fd, void *iov, int iovcnt, int64_t offset, int flags)");
    this.#fcntl = bind("int fcntl(int fd, int cmd, int arg)");
    this.#mmap = bind("void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)");
    this.#munmap = bind("int munmap(void *addr, size_t length)");
    this.#poll = bind("int poll(void *fds, unsigned long nfds, int timeout)");
    this.#shutdown = bind("int shutdown(int fd, int how)");
    this.#recvmsg = bind("int64_t recvmsg(int fd, void *message, int flags)");
    this.#syscall = bind(
      "int64_t syscall(int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)",
    );
  }

  /** For descriptors that Node did not open: worker threads keep count of their own, and `closeSync` warns of others. */
  close(fd: number): void {
    this.#close(fd);
  }

  /** Another descriptor for the same file, closed on exec. */
  duplicate(fd: number): number {
    const copy = this.#fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? this.#fail("fcntl(F_DUPFD_CLOEXEC)") : copy;
  }

  /** Whether it is a file in memory (of tmpfs or of huge pages): only those have seals. Nobody else is asked for that. */
  isSealable(fd: number): boolean {
    return this.#fcntl(fd, F_GET_SEALS, 0) >= 0;
  }

  /** Blocks this thread until `fd` can be read or has hung up, at most `timeoutMs`. A signal ends it early. */
  waitReadable(fd: number, timeoutMs: number): boolean {
    return this.#poll(Int32Array.of(fd, POLLIN), 1, timeoutMs) > 0;
  }

  /** An eventfd that nobody waits for. @throws the system's error */
  eventfd(): number {
    const fd = this.#eventfd(0, EFD_CLOEXEC_NONBLOCK);
    return fd < 0 ? this.#fail("eventfd") : fd;
  }

  /** @throws the system's error */
  epollCreate(): number {
    const fd = this.#epollCreate(EPOLL_CLOEXEC);
    return fd < 0 ? this.#fail("epoll_create1") : fd;
  }

  /** @param event where the struct epoll_event is. @throws the system's error */
  epollControl(epoll: number, operation: number, fd: number, event: bigint): void {
    if (this.#epollControl(epoll, operation, fd, event) < 0) this.#fail("epoll_ctl");
  }

  /** Never waits. @returns how many events lie at `events` now */
  epollTake(epoll: number, events: bigint, most: number): number {
    return Math.max(0, this.#epollWait(epoll, events, most, 0));
  }

  /** A read that does not wait, whatever the descriptor's mode. @param vector one struct iovec. @returns bytes, 0 where there are none */
  readNow(fd: number, vector: bigint): number | "unsupported" {
    const count = Number(this.#preadv2(fd, vector, 1, -1, RWF_NOWAIT));
    if (count >= 0) return count;
    return this.#koffi.errno() === EOPNOTSUPP ? "unsupported" : 0;
  }

  /** Nothing more is taken from a socket: whoever polls it wakes. */
  shutDownReading(socket: number): void {
    this.#shutdown(socket, SHUT_RD);
  }

  /** Takes what has come on a socket, and the descriptors that were sent with it. Never waits. @throws the system's error */
  receive(socket: number, letter: Letter): Received {
    const count = Number(this.#recvmsg(socket, letter.address(), MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    if (count > 0) return letter.read(count);
    if (count === 0) return "end";
    const errno = this.#koffi.errno();
    return errno === EAGAIN || errno === EINTR ? "later" : this.#fail("recvmsg");
  }

  /** @returns what the system call returned, or its errno, negative */
  call(number: number, ...args: readonly bigint[]): number {
    const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = args;
    const result = Number(this.#syscall(number, a, b, c, d, e));
    return result === -1 ? -this.#koffi.errno() : result;
  }

  allocate(bytes: number): Memory {
    const at = this.#mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    if (at === MAP_FAILED) this.#fail("mmap");
    const memory = this.#koffi.view(at, bytes);
    return {
      at,
      view: new DataView(memory),
      bytes: new Uint8Array(memory),
      free: () => void this.#munmap(at, bytes),
    };
  }

  #fail(call: string): never {
    const errno = this.#koffi.errno();
    throw Object.assign(new Error(`${call} failed with errno ${errno}`), { errno });
  }
}

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
/** Where the parts of a letter are: struct msghdr at 0, struct iovec, struct cmsghdr and its descriptors, the bytes. */
const vectorAt = 64;
const controlAt = 128;
const bodyAt = 4096;
/** Bytes that one look takes. */
const bodyBytes = 256 * 1024;
const controlHeaderBytes = 16;
/** More than a message may have, so that too many can be told from enough. The kernel closes what has no room. */
const fdRoom = 10;
const controlBytes = controlHeaderBytes + 4 * fdRoom;

/** A struct msghdr and all that it points to, for what is received. */
export class Letter {
  readonly #memory: Memory;

  constructor(libc: Libc) {
    this.#memory = libc.allocate(bodyAt + bodyBytes);
  }

  /** An empty one. @returns where it is */
  address(): bigint {
    const { view, at } = this.#memory;
    for (let i = 0; i < 56; i += 8) view.setBigUint64(i, 0n, true);
    view.setBigUint64(16, at + BigInt(vectorAt), true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, at + BigInt(controlAt), true);
    view.setBigUint64(40, BigInt(controlBytes), true);
    view.setBigUint64(vectorAt, at + BigInt(bodyAt), true);
    view.setBigUint64(vectorAt + 8, BigInt(bodyBytes), true);
    view.setBigUint64(controlAt, 0n, true);
    return at;
  }

  read(count: number): ReceivedPiece {
    const { view, bytes } = this.#memory;
    const fds: number[] = [];
    const isRights =
      view.getBigUint64(40, true) > BigInt(controlHeaderBytes) &&
      view.getInt32(controlAt + 8, true) === SOL_SOCKET &&
      view.getInt32(controlAt + 12, true) === SCM_RIGHTS;
    const end = isRights ? Number(view.getBigUint64(controlAt, true)) : 0;
    for (let at = controlHeaderBytes; at + 4 <= end; at += 4) fds.push(view.getInt32(controlAt + at, true));
    const descriptors = (view.getInt32(48, true) & MSG_CTRUNC) === 0 ? "all" : "lost";
    return { bytes: bytes.slice(bodyAt, bodyAt + count), fds, descriptors };
  }

  free(): void {
    this.#memory.free();
  }
}
