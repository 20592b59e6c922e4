/**
 * What a client needs of the C library: files in memory and eventfds to pass to the server, and the message that passes them. Node has
 * none of these.
 */
import { readSync, writeSync } from "node:fs";
import { Socket, type SocketConstructorOpts } from "node:net";
import { type KoffiModule, Libc, type Memory } from "../socket/libc.js";
import { Signaller } from "../socket/signaller.js";

const MFD_CLOEXEC = 1;
const EFD_NONBLOCK = 0x800;
const EFD_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EAGAIN = 11;
const EINTR = 4;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** Where the parts of a letter are: struct msghdr at 0, struct iovec, struct cmsghdr and its descriptors, the bytes. */
const vectorAt = 64;
const controlAt = 128;
const bodyAt = 512;
const controlHeaderBytes = 16;
const letterBytes = 4096;
/** Descriptors that one message has room for here. */
export const mostFdsSent = 64;

export class Native {
  readonly #koffi: KoffiModule;
  readonly #libc: Libc;
  readonly #letter: Memory;
  readonly #memfdCreate: (name: string, flags: number) => number;
  readonly #ftruncate: (fd: number, length: number) => number;
  readonly #eventfd: (first: number, flags: number) => number;
  readonly #sendmsg: (fd: number, message: bigint, flags: number) => number | bigint;
  /** Few have a server listen to them: it begins with the first one. */
  #signaller: Signaller | null = null;
  #state: "open" | "ended" = "open";

  /** @throws whatever koffi throws where the library or a symbol is missing */
  constructor(koffi: KoffiModule) {
    this.#koffi = koffi;
    const libc = koffi.load("libc.so.6");
    const bind = <F>(signature: string): F => libc.func(signature) as F;
    this.#memfdCreate = bind("int memfd_create(const char *name, unsigned int flags)");
    this.#ftruncate = bind("int ftruncate(int fd, int64_t length)");
    this.#eventfd = bind("int eventfd(unsigned int first, int flags)");
    this.#sendmsg = bind("int64_t sendmsg(int fd, void *message, int flags)");
    this.#libc = new Libc(koffi);
    this.#letter = this.#libc.allocate(letterBytes);
  }

  /** A file of zeros that lies in memory. @throws the system's error */
  createMemory(name: string, bytes: number): number {
    const fd = this.#memfdCreate(name, MFD_CLOEXEC);
    if (fd < 0) return this.#fail("memfd_create");
    if (this.#ftruncate(fd, bytes) === 0) return fd;
    const errno = this.#koffi.errno();
    this.close(fd);
    throw failed("ftruncate", errno);
  }

  /** An eventfd that nobody waits in. @throws the system's error */
  createEventfd(): number {
    const fd = this.#eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd < 0 ? this.#fail("eventfd") : fd;
  }

  /** `signal` can be called from here on. @throws the system's error, where it can't be */
  prepareToSignal(): void {
    if (this.#state === "open") this.#signaller ??= new Signaller(this.#libc);
  }

  /** Adds one to an eventfd. Never waits: whoever has it as well may have filled it, and have writes to it wait. */
  signal(fd: number): void {
    this.#signaller?.signal(fd);
  }

  close(fd: number): void {
    this.#libc.close(fd);
  }

  /**
   * Sends a small message with descriptors, which stay the caller's. @returns "later": the socket takes nothing just now
   * @throws the system's error
   */
  send(socket: number, bytes: Uint8Array, fds: readonly number[]): "sent" | "later" {
    if (this.#state === "ended" || bytes.length > letterBytes - bodyAt || fds.length > mostFdsSent)
      throw new RangeError(`a message of ${bytes.length} bytes with ${fds.length} descriptors`);
    const { view, at } = this.#letter;
    for (let i = 0; i < 56; i += 8) view.setBigUint64(i, 0n, true);
    const controlBytes = controlHeaderBytes + 4 * fds.length;
    view.setBigUint64(16, at + BigInt(vectorAt), true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, at + BigInt(controlAt), true);
    view.setBigUint64(40, BigInt(8 * Math.ceil(controlBytes / 8)), true);
    view.setBigUint64(vectorAt, at + BigInt(bodyAt), true);
    view.setBigUint64(vectorAt + 8, BigInt(bytes.length), true);
    view.setBigUint64(controlAt, BigInt(controlBytes), true);
    view.setInt32(controlAt + 8, SOL_SOCKET, true);
    view.setInt32(controlAt + 12, SCM_RIGHTS, true);
    for (const [i, fd] of fds.entries()) view.setInt32(controlAt + controlHeaderBytes + 4 * i, fd, true);
    this.#letter.bytes.set(bytes, bodyAt);
    const sent = Number(this.#sendmsg(socket, at, MSG_DONTWAIT | MSG_NOSIGNAL));
    if (sent === bytes.length) return "sent";
    // So little is taken whole or not at all.
    if (sent >= 0) throw new Error(`sendmsg took ${sent} of ${bytes.length} bytes`);
    const errno = this.#koffi.errno();
    if (errno === EAGAIN || errno === EINTR) return "later";
    throw failed("sendmsg", errno);
  }

  end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#letter.free();
    this.#signaller?.close();
  }

  #fail(call: string): never {
    throw failed(call, this.#koffi.errno());
  }
}

/**
 * Has Node's own loop wait for an eventfd: it is read like a pipe's end, eight bytes at a time. Node has no public way to do that with a
 * descriptor of this kind; the handle is of the class that a Unix socket's has, which opens any descriptor that can be polled.
 * @param like a connected Unix socket @param fd owned from here on, and closed when the socket that is returned is destroyed
 * @throws Error this Node does not do it; the descriptor stays the caller's then
 */
export function watchEventfd(like: Socket, fd: number, signalled: (count: number) => void): Socket {
  const { _handle: handle } = like as unknown as { readonly _handle?: object | null };
  const Pipe = handle?.constructor as (new (kind: number) => { open(fd: number): number }) | undefined;
  if (Pipe === undefined) throw new Error("the connection is closed");
  const pipe = new Pipe(0);
  const answer = pipe.open(fd);
  if (typeof answer === "number" && answer < 0) throw new Error(`it can't be polled, error ${answer}`);
  const options = { handle: pipe, readable: true, writable: false };
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  socket.on("data", (bytes: Buffer) => {
    let count = 0n;
    for (let at = 0; at + 8 <= bytes.length; at += 8) count += bytes.readBigUInt64LE(at);
    if (count > 0n) signalled(Number(count));
  });
  socket.on("error", () => undefined);
  // It keeps nobody alive: the connection does.
  socket.unref();
  return socket;
}

/** Fills `into` from a file. @returns whether all of it was there */
export function readAll(fd: number, position: number, into: Uint8Array): boolean {
  for (let at = 0; at < into.length; ) {
    const count = readSync(fd, into, at, into.length - at, position + at);
    if (count === 0) return false;
    at += count;
  }
  return true;
}

export function writeAll(fd: number, position: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}

function failed(call: string, errno: number): Error {
  return Object.assign(new Error(`${call} failed with errno ${errno}`), { errno });
}
