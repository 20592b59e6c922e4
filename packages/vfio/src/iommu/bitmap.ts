/** One bit for each page, the lowest first, as user space reads it: little-endian words of 64 bits. */

export class Bitmap {
  readonly size: number;
  readonly bytes: Uint8Array;

  constructor(size: number) {
    this.size = size;
    this.bytes = new Uint8Array(Bitmap.bytesFor(size));
  }

  /** Whole words. */
  static bytesFor(bits: number): number {
    return Math.ceil(bits / 64) * 8;
  }

  has(bit: number): boolean {
    return (((this.bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1;
  }

  set(bit: number): void {
    this.bytes[bit >> 3] = (this.bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
  }

  setRange(first: number, count: number): void {
    for (let bit = first; bit < first + count; bit += 1) this.set(bit);
  }

  /** Sets here, from `at` on, what is set there. */
  include(other: Bitmap, at: number): void {
    for (let bit = 0; bit < other.size; bit += 1) {
      if (other.has(bit)) this.set(at + bit);
    }
  }
}
