/**
 * Signals eventfds of strangers. A write to an eventfd waits when its counter is full, and who has it can fill it at any moment; the
 * kernel itself never waits. So the kernel does it: each signal is an asynchronous read of nothing (linux/aio_abi.h) that names the
 * eventfd as the one to tell when it is done.
 */
import { closeSync, openSync, readlinkSync } from "node:fs";
import type { Libc, Memory } from "./libc.js";

interface Calls {
  readonly setup: number;
  readonly destroy: number;
  readonly getevents: number;
  readonly submit: number;
}

/** Numbers of io_setup and its kin. */
const calls: Readonly<Record<string, Calls>> = {
  x64: { setup: 206, destroy: 207, getevents: 208, submit: 209 },
  arm64: { setup: 0, destroy: 1, getevents: 4, submit: 2 },
};

/** Where in the memory: aio_context_t, a pointer to the iocb, struct timespec, struct iocb, its buffer, struct io_event. */
const contextAt = 0;
const pointerAt = 8;
const timeoutAt = 16;
const iocbAt = 64;
const bufferAt = 192;
const eventsAt = 256;
const eventBytes = 32;
/** Completions that can wait to be taken. */
const depth = 64;
const memoryBytes = eventsAt + depth * eventBytes;

/** Offsets in struct iocb, little-endian. */
const aioFildes = 20;
const aioBuf = 24;
const aioNbytes = 32;
const aioFlags = 56;
const aioResfd = 60;
const IOCB_FLAG_RESFD = 1;

export class Signaller {
  readonly #libc: Libc;
  readonly #calls: Calls;
  readonly #memory: Memory;
  /** Of /dev/null, which a read of ends at once. */
  readonly #nothing: number;
  readonly #context: bigint;
  #untaken = 0;
  /** What was allocated is gone when it is closed. */
  #state: "open" | "closed" = "open";

  /** @throws where this kernel or processor does not have it */
  constructor(libc: Libc) {
    const numbers = calls[process.arch];
    if (numbers === undefined) throw new Error(`asynchronous reads are not known on ${process.arch}`);
    this.#libc = libc;
    this.#calls = numbers;
    this.#memory = libc.allocate(memoryBytes);
    const made = libc.call(numbers.setup, BigInt(depth), this.#memory.at + BigInt(contextAt));
    if (made < 0) {
      this.#memory.free();
      throw new Error(`io_setup failed with errno ${-made}`);
    }
    this.#context = this.#memory.view.getBigUint64(contextAt, true);
    this.#nothing = openSync("/dev/null", "r");
  }

  /** Whether it is an eventfd. */
  static isEventfd(fd: number): boolean {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:[eventfd]";
    } catch {
      return false;
    }
  }

  /** Adds one to the counter of an eventfd, if it is one. Never waits. */
  signal(fd: number): void {
    if (this.#state === "closed") return;
    if (this.#untaken >= depth / 2) this.#take();
    const { view, at } = this.#memory;
    for (let i = 0; i < 64; i += 8) view.setBigUint64(iocbAt + i, 0n, true);
    view.setInt32(iocbAt + aioFildes, this.#nothing, true);
    view.setBigUint64(iocbAt + aioBuf, at + BigInt(bufferAt), true);
    view.setBigUint64(iocbAt + aioNbytes, 1n, true);
    view.setUint32(iocbAt + aioFlags, IOCB_FLAG_RESFD, true);
    view.setInt32(iocbAt + aioResfd, fd, true);
    view.setBigUint64(pointerAt, at + BigInt(iocbAt), true);
    const taken = this.#libc.call(this.#calls.submit, this.#context, 1n, at + BigInt(pointerAt));
    if (taken === 1) this.#untaken += 1;
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#libc.call(this.#calls.destroy, this.#context);
    closeSync(this.#nothing);
    this.#memory.free();
  }

  #take(): void {
    const { view, at } = this.#memory;
    view.setBigUint64(timeoutAt, 0n, true);
    view.setBigUint64(timeoutAt + 8, 0n, true);
    const { getevents } = this.#calls;
    const events = at + BigInt(eventsAt);
    this.#libc.call(getevents, this.#context, 0n, BigInt(depth), events, at + BigInt(timeoutAt));
    this.#untaken = 0;
  }
}
