/** A ring's reader that also counts: what a queue received is part of its account. */
import type { RingReader } from "parhelion-protocol";

export class CountingReader implements RingReader {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly capacity: number;
  readonly maxRecord: number;
  readonly #reader: RingReader;
  readonly #observe: ((u32: Uint32Array, i: number) => void) | undefined;
  #bytes = 0;

  /** @param observe told of each record before it is carried out */
  constructor(reader: RingReader, observe?: (u32: Uint32Array, i: number) => void) {
    this.#reader = reader;
    this.#observe = observe;
    this.u8 = reader.u8;
    this.u32 = reader.u32;
    this.i32 = reader.i32;
    this.f32 = reader.f32;
    this.f64 = reader.f64;
    this.capacity = reader.capacity;
    this.maxRecord = reader.maxRecord;
  }

  /** Bytes of all records that were given back, without padding. */
  get bytes(): number {
    return this.#bytes;
  }

  get recordBytes(): number {
    return this.#reader.recordBytes;
  }

  next(): number {
    const i = this.#reader.next();
    if (i >= 0) this.#observe?.(this.u32, i);
    return i;
  }

  done(): void {
    this.#bytes += this.#reader.recordBytes;
    this.#reader.done();
  }
}
