/** The ring of a lost device: every record fits, none arrives. So encoders need not know that the device is lost. */
import type { RingWriter } from "parhelion-protocol";

export class DiscardRing implements RingWriter {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly capacity: number;
  readonly maxRecord: number;
  readonly unpublished = 0;

  constructor(maxRecord: number) {
    const memory = new ArrayBuffer(maxRecord);
    this.u8 = new Uint8Array(memory);
    this.u32 = new Uint32Array(memory);
    this.i32 = new Int32Array(memory);
    this.f32 = new Float32Array(memory);
    this.f64 = new Float64Array(memory);
    this.capacity = maxRecord;
    this.maxRecord = maxRecord;
  }

  tryBegin(): number {
    return 0;
  }

  begin(): number {
    return 0;
  }

  flush(): void {}
}
