/**
 * Reads and writes a connected socket without waiting and without the event loop, which a blocking `begin` needs: the loop does
 * not turn while it waits. Node has no public way to do that; this file is the one place that reaches for a socket's file
 * descriptor (`socket._handle.fd`, there for Unix and TCP sockets on POSIX systems, not for TLS and not on Windows).
 *
 * Rules that keep this safe:
 * - Once a direct SocketIo exists, nobody calls `socket.write`: libuv has nothing queued that our bytes could overtake.
 * - The descriptor is asked for at each call: a destroyed socket has none, so a number that the kernel gave to somebody else is
 *   never touched.
 * - libuv reads only from the event loop and hands on what it read at once, so a read here gets the bytes that come next.
 */
import { readSync, writeSync } from "node:fs";
import type { Socket } from "node:net";

export interface SocketIo {
  /** direct: works while the event loop is blocked. buffered: only through the event loop. */
  readonly kind: "direct" | "buffered";
  /** Bytes taken, possibly none. @throws the system's error, EPIPE when the other end is gone */
  write(from: Uint8Array, offset: number, length: number): number;
  /** Bytes read, "later" when there are none now, "end" when the other end is gone. Direct only. */
  read(into: Uint8Array, offset: number, length: number): number | "later" | "end";
}

interface HandleSocket {
  readonly _handle?: { readonly fd?: unknown } | null;
  readonly encrypted?: unknown;
}

/** The file descriptor of a live socket, or -1. */
export function socketDescriptor(socket: Socket): number {
  if (socket.destroyed) return -1;
  const { _handle: handle, encrypted } = socket as unknown as HandleSocket;
  const fd = encrypted === true ? undefined : handle?.fd;
  return typeof fd === "number" && Number.isInteger(fd) && fd >= 0 ? fd : -1;
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

class DirectIo implements SocketIo {
  readonly kind = "direct";
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  write(from: Uint8Array, offset: number, length: number): number {
    const fd = socketDescriptor(this.#socket);
    if (fd < 0) return 0;
    try {
      return writeSync(fd, from, offset, length);
    } catch (error) {
      if (isErrno(error, "EAGAIN") || isErrno(error, "EINTR")) return 0;
      throw error;
    }
  }

  read(into: Uint8Array, offset: number, length: number): number | "later" | "end" {
    const fd = socketDescriptor(this.#socket);
    if (fd < 0) return "end";
    try {
      return readSync(fd, into, offset, length, null) || "end";
    } catch (error) {
      if (isErrno(error, "EAGAIN") || isErrno(error, "EINTR")) return "later";
      if (isErrno(error, "ECONNRESET")) return "end";
      throw error;
    }
  }
}

/** What may wait inside the socket, beside one write. */
const bufferedLimit = 256 * 1024;

class BufferedIo implements SocketIo {
  readonly kind = "buffered";
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  write(from: Uint8Array, offset: number, length: number): number {
    if (this.#socket.destroyed || this.#socket.writableLength >= bufferedLimit) return 0;
    const taken = Math.min(length, bufferedLimit);
    this.#socket.write(from.slice(offset, offset + taken));
    return taken;
  }

  read(): "later" {
    return "later";
  }
}

/**
 * @param socket connected, with nothing left to write
 * @param kind "buffered" forbids the direct way
 */
export function openSocketIo(socket: Socket, kind: "direct" | "buffered" = "direct"): SocketIo {
  return kind === "direct" && socketDescriptor(socket) >= 0 && socket.writableLength === 0
    ? new DirectIo(socket)
    : new BufferedIo(socket);
}
