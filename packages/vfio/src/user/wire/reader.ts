/** Reads a structure field by field and never beyond its end. All numbers are little-endian. */
import { KernelError } from "parhelion-core";

export class Reader {
  readonly #what: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** @param what for messages: what is being read */
  constructor(what: string, bytes: Uint8Array) {
    this.#what = what;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** @throws KernelError EINVAL */
  refuse(why: string): never {
    throw new KernelError("EINVAL", `${this.#what}: ${why}`);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.left) this.refuse(`${this.#bytes.length} bytes, at least ${at + length} are needed`);
    this.#at = at + length;
    return at;
  }
}
