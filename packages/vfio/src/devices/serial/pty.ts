/**
 * A pseudo-terminal of this machine: a stream here, a terminal device with a path for any program there. Made with the C library
 * through koffi, which is handed in: Node itself can't unlock one.
 */
import { closeSync, constants, openSync } from "node:fs";
import type { Duplex } from "node:stream";
import { ReadStream } from "node:tty";
import { KernelError } from "parhelion-core";

/** What is used of koffi 3. */
export interface PtyLibrary {
  load(path: string): { func(signature: string): unknown };
  errno(): number;
}

export interface Pty {
  /** Of the terminal, as /dev/pts/3. */
  readonly path: string;
  /** What programs write to the terminal is read here, and the reverse. Bytes as they are: nothing is echoed or translated. */
  readonly stream: Duplex;
  /** The terminal hangs up. */
  close(): void;
}

/** ioctls of pseudo-terminals (asm-generic/ioctls.h): unlock it, ask for its number. */
const TIOCSPTLCK = 0x4004_5431;
const TIOCGPTN = 0x8004_5430;

/** @throws KernelError ENODEV this machine has none, or koffi can't reach the C library */
export function openPty(koffi: PtyLibrary): Pty {
  let ioctl: (fd: number, request: number, argument: Int32Array) => number;
  try {
    ioctl = koffi
      .load("libc.so.6")
      .func("int ioctl(int fd, unsigned long request, _Inout_ int *argument)") as typeof ioctl;
  } catch (error) {
    throw new KernelError("ENODEV", "a pseudo-terminal needs the C library, which koffi can't load", {
      cause: error,
    });
  }
  const flags = constants.O_RDWR | constants.O_NOCTTY;
  const master = opened("/dev/ptmx", flags);
  try {
    const number = new Int32Array(1);
    if (ioctl(master, TIOCSPTLCK, number) < 0 || ioctl(master, TIOCGPTN, number) < 0)
      throw new KernelError("ENODEV", `no pseudo-terminal: ioctl failed with errno ${koffi.errno()}`);
    const path = `/dev/pts/${number[0]}`;
    // Held open, so that nobody's coming and going hangs it up here.
    const terminal = new ReadStream(opened(path, flags));
    terminal.setRawMode(true);
    const stream = new ReadStream(master);
    stream.on("close", () => terminal.destroy());
    return { path, stream, close: () => stream.destroy() };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** @throws KernelError ENODEV */
function opened(path: string, flags: number): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    throw new KernelError("ENODEV", `no pseudo-terminal: ${(error as Error).message}`, { cause: error });
  }
}
