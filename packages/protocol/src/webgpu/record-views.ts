/** The memory that records are read in, seen at four widths: a ring's, or the heap's for an assembled record. */
export class RecordViews {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;

  /** @param memory a multiple of 8 bytes */
  constructor(memory: ArrayBufferLike, offset = 0, bytes = memory.byteLength - offset) {
    this.u8 = new Uint8Array(memory, offset, bytes);
    this.u32 = new Uint32Array(memory, offset, bytes / 4);
    this.i32 = new Int32Array(memory, offset, bytes / 4);
    this.f32 = new Float32Array(memory, offset, bytes / 4);
    this.f64 = new Float64Array(memory, offset, bytes / 8);
  }
}
