/**
 * A pseudo-terminal of this machine: a stream here, a terminal device with a path for any program there. Made with the C library
 * through koffi, which is handed in: Node itself can't unlock one.
 */
import { closeSync, constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { KernelError } from "parhelion-core";
/** ioctls of pseudo-terminals (asm-generic/ioctls.h): unlock it, ask for its number. */
const TIOCSPTLCK = 0x4004_5431;
const TIOCGPTN = 0x8004_5430;
/** @throws KernelError ENODEV this machine has none, or koffi can't reach the C library */
export function openPty(koffi) {
    let ioctl;
    try {
        ioctl = koffi
            .load("libc.so.6")
            .func("int ioctl(int fd, unsigned long request, _Inout_ int *argument)");
    }
    catch (error) {
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
    }
    catch (error) {
        closeSync(master);
        throw error;
    }
}
/** @throws KernelError ENODEV */
function opened(path, flags) {
    try {
        return openSync(path, flags);
    }
    catch (error) {
        throw new KernelError("ENODEV", `no pseudo-terminal: ${error.message}`, { cause: error });
    }
}
