/**
 * The host's end of a configuration space: registers that answer when they are read and act when they are written. What no
 * register covers reads as zero and can't be written.
 */
import { KernelError } from "parhelion-core";
import type { ReadableRegister, WritableRegister } from "./register.js";

interface Source {
  readonly offset: number;
  readonly length: number;
  read(): Uint8Array;
}

interface Sink {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  write(bytes: Uint8Array): void;
}

export class ConfigModel {
  readonly bytes: number;
  readonly #sources: Source[] = [];
  readonly #sinks: Sink[] = [];

  /** @param bytes size of the space, 256 or 4096 */
  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** `value` is asked at each read. */
  readable<T>(register: ReadableRegister<T> & WritableRegister<T>, value: () => T): this {
    const { offset, length } = register;
    this.#sources.push({ offset, length, read: () => register.encode(value()) });
    return this;
  }

  /** `act` is called at each write of the whole register. */
  writable<T>(register: ReadableRegister<T> & WritableRegister<T>, act: (value: T) => void): this {
    const { name, offset, length } = register;
    this.#sinks.push({ name, offset, length, write: (bytes) => act(register.decode(bytes)) });
    return this;
  }

  /** Any range, across registers. @throws KernelError EINVAL outside the space */
  read(offset: number, length: number): Uint8Array {
    this.#check("read", offset, length);
    const result = new Uint8Array(length);
    for (const source of this.#sources) {
      const from = Math.max(offset, source.offset);
      const to = Math.min(offset + length, source.offset + source.length);
      if (from < to)
        result.set(source.read().subarray(from - source.offset, to - source.offset), from - offset);
    }
    return result;
  }

  /** One whole register. @throws KernelError EINVAL outside the space, EACCES nothing can be written there */
  write(offset: number, data: Uint8Array): void {
    this.#check("write", offset, data.length);
    const sink = this.#sinks.find(
      (candidate) => candidate.offset === offset && candidate.length === data.length,
    );
    if (sink === undefined) {
      throw new KernelError("EACCES", `no register of ${data.length} bytes can be written at ${offset}`);
    }
    sink.write(data);
  }

  #check(what: string, offset: number, length: number): void {
    if (length < 1 || length > 64 || offset + length > this.bytes) {
      throw new KernelError(
        "EINVAL",
        `${what} of ${length} bytes at ${offset}: 1 to 64 bytes within ${this.bytes}`,
      );
    }
  }
}
