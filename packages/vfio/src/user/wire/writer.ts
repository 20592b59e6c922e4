/** Fills in a structure of a known size field by field, little-endian. */
export class Writer {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(value: number): this {
    this.#view.setUint16(this.#step(2), value, true);
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#step(4), value, true);
    return this;
  }

  u64(value: bigint): this {
    this.#view.setBigUint64(this.#step(8), value, true);
    return this;
  }

  put(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#step(bytes.length));
    return this;
  }

  #step(size: number): number {
    const at = this.#at;
    this.#at = at + size;
    return at;
  }
}
