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

/** More than struct termios has anywhere. */
const termiosBytes = 256;

/** @throws KernelError ENODEV this machine has none, or koffi can't reach the C library */
export function openPty(koffi: PtyLibrary): Pty {
  const { ioctl, tcgetattr, cfmakeraw, tcsetattr } = terminalCalls(koffi);
  const done = (call: string, result: number): void => {
    if (result < 0)
      throw new KernelError("ENODEV", `no pseudo-terminal: ${call} failed with errno ${koffi.errno()}`);
  };
  const flags = constants.O_RDWR | constants.O_NOCTTY;
  const master = opened("/dev/ptmx", flags);
  let terminal: number | null = null;
  try {
    const number = new Int32Array(1);
    done("TIOCSPTLCK", ioctl(master, TIOCSPTLCK, number));
    done("TIOCGPTN", ioctl(master, TIOCGPTN, number));
    const path = `/dev/pts/${number[0]}`;
    // Held open, so that nobody's coming and going hangs it up here.
    const held = opened(path, flags);
    terminal = held;
    const modes = new Uint8Array(termiosBytes);
    done("tcgetattr", tcgetattr(held, modes));
    cfmakeraw(modes);
    done("tcsetattr", tcsetattr(held, 0, modes));
    const stream = new ReadStream(master);
    stream.once("close", () => closeSync(held));
    return { path, stream, close: () => stream.destroy() };
  } catch (error) {
    if (terminal !== null) closeSync(terminal);
    closeSync(master);
    throw error;
  }
}

interface TerminalCalls {
  ioctl(fd: number, request: number, argument: Int32Array): number;
  tcgetattr(fd: number, modes: Uint8Array): number;
  cfmakeraw(modes: Uint8Array): void;
  tcsetattr(fd: number, when: number, modes: Uint8Array): number;
}

/** @throws KernelError ENODEV */
function terminalCalls(koffi: PtyLibrary): TerminalCalls {
  try {
    const libc = koffi.load("libc.so.6");
    const bind = <F>(signature: string): F => libc.func(signature) as F;
    return {
      ioctl: bind("int ioctl(int fd, unsigned long request, _Inout_ int *argument)"),
      tcgetattr: bind("int tcgetattr(int fd, _Inout_ uint8_t *modes)"),
      cfmakeraw: bind("void cfmakeraw(_Inout_ uint8_t *modes)"),
      tcsetattr: bind("int tcsetattr(int fd, int when, _Inout_ uint8_t *modes)"),
    };
  } catch (error) {
    throw new KernelError("ENODEV", "a pseudo-terminal needs the C library, which koffi can't load", {
      cause: error,
    });
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
