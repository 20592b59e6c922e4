/**
 * The ring as the encoders of one device see it. Adds to the port's ring when it is published, and what happens when
 * it is gone: from then on records are written to nowhere, because WebGPU lets a lost device be used without exceptions.
 */
import type { RingWriter } from "parhelion-protocol";
import { DiscardRing } from "./discard-ring.js";

/** More than this waits for nobody: the engine can begin while the application goes on encoding. */
const publishAt = 64 * 1024;

export class DeviceWriter implements RingWriter {
  u8: Uint8Array;
  u32: Uint32Array;
  i32: Int32Array;
  f32: Float32Array;
  f64: Float64Array;
  readonly capacity: number;
  readonly maxRecord: number;
  #ring: RingWriter;
  #turn: "quiet" | "scheduled" = "quiet";
  readonly #afterTurn: (task: () => void) => void;
  readonly #onFailure: (reason: unknown) => void;
  readonly #endTurn: () => void;

  /** @param onFailure called when the ring refuses a record for ever; the writer discards already */
  constructor(ring: RingWriter, afterTurn: (task: () => void) => void, onFailure: (reason: unknown) => void) {
    this.#ring = ring;
    this.#afterTurn = afterTurn;
    this.#onFailure = onFailure;
    this.u8 = ring.u8;
    this.u32 = ring.u32;
    this.i32 = ring.i32;
    this.f32 = ring.f32;
    this.f64 = ring.f64;
    this.capacity = ring.capacity;
    this.maxRecord = ring.maxRecord;
    this.#endTurn = () => {
      this.#turn = "quiet";
      this.flush();
    };
  }

  get unpublished(): number {
    return this.#ring.unpublished;
  }

  tryBegin(bytes: number): number {
    return this.begin(bytes);
  }

  begin(bytes: number): number {
    if (this.#turn === "quiet") {
      this.#turn = "scheduled";
      this.#afterTurn(this.#endTurn);
    }
    try {
      if (this.#ring.unpublished > publishAt) this.#ring.flush();
      return this.#ring.begin(bytes);
    } catch (reason) {
      this.#fail(reason);
      return 0;
    }
  }

  flush(): void {
    try {
      this.#ring.flush();
    } catch (reason) {
      this.#fail(reason);
    }
  }

  /** From now on nothing reaches the engine. */
  discard(): void {
    if (this.#ring instanceof DiscardRing) return;
    const ring = new DiscardRing(this.maxRecord);
    this.#ring = ring;
    this.u8 = ring.u8;
    this.u32 = ring.u32;
    this.i32 = ring.i32;
    this.f32 = ring.f32;
    this.f64 = ring.f64;
  }

  #fail(reason: unknown): void {
    this.discard();
    this.#onFailure(reason);
  }
}
