/** Bits of a row of bytes, the high bit of each first. */
export class BitReader {
  readonly #bytes: Uint8Array;
  /** In bits. */
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @param count up to 32. @throws RangeError where the bytes end before */
  read(count: number): number {
    let value = 0;
    let rest = count;
    while (rest > 0) {
      const byte = this.#bytes[this.#at >> 3];
      if (byte === undefined) throw new RangeError("bzip2: it ends in the middle");
      const here = 8 - (this.#at & 7);
      const taken = Math.min(here, rest);
      value = value * 2 ** taken + ((byte >> (here - taken)) & ((1 << taken) - 1));
      this.#at += taken;
      rest -= taken;
    }
    return value;
  }
}
