import { ProtocolError } from "../error.js";
import type { RingWriter } from "./port.js";
import { HEAD, type RingMemory, TAIL } from "./ring-layout.js";

/** What a ring's writer needs from its carrier. */
export interface WriterLink {
  /** The head moved from `from` to `to` (positions); wake the reader if it sleeps. */
  published(from: number, to: number): void;
  /** A padding record of `bytes` is about to be begun at `position`; all before it is published. */
  padded(position: number, bytes: number): void;
  /** `tryBegin` found no room: arrange for `onWritable`. */
  starved(): void;
  /** Blocks until the tail may have moved, or throws. `waited` counts the calls without progress, from 0. */
  block(waited: number): void;
  /** The reader's position is impossible: close. */
  writerFailed(error: ProtocolError): void;
  /** Why the port is closed. */
  closeReason(): Error;
}

/** Work that is complete and this long is published at the next reservation, so that the reader starts on it. */
const WINDOW_BYTES = 256 * 1024;

/**
 * The writing end of a ring. The window [#at, #end) is known to be free, so that a reservation inside it is one compare and one
 * add; everything else happens when the window is used up.
 */
export class Writer implements RingWriter {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly capacity: number;
  readonly maxRecord: number;
  readonly #control: Int32Array;
  readonly #link: WriterLink;
  readonly #window: number;
  readonly #far: number;
  /** Byte offset of the next record; #end is where the free window ends, -1 once closed. */
  #at = 0;
  #end = 0;
  /** Position of offset 0 in this lap. */
  #lap = 0;
  #published = 0;
  #tail = 0;

  constructor(memory: RingMemory, link: WriterLink) {
    const { buffer, offset, capacity, control } = memory;
    this.u8 = new Uint8Array(buffer, offset, capacity);
    this.u32 = new Uint32Array(buffer, offset, capacity / 4);
    this.i32 = new Int32Array(buffer, offset, capacity / 4);
    this.f32 = new Float32Array(buffer, offset, capacity / 4);
    this.f64 = new Float64Array(buffer, offset, capacity / 8);
    this.capacity = capacity;
    this.maxRecord = capacity / 4;
    this.#control = control;
    this.#link = link;
    this.#window = Math.min(WINDOW_BYTES, this.maxRecord);
    this.#far = Math.max(this.#window, capacity / 8);
  }

  get unpublished(): number {
    return (this.#lap + this.#at - this.#published) >>> 0;
  }

  /** Position after the last record begun. */
  get position(): number {
    return (this.#lap + this.#at) >>> 0;
  }

  tryBegin(bytes: number): number {
    const at = this.#at;
    const next = at + bytes;
    if (next <= this.#end && (bytes & 7) === 0 && next > at) {
      this.#at = next;
      return at >>> 2;
    }
    const word = this.#reserve(bytes);
    if (word < 0 && this.#end >= 0) {
      this.flush();
      this.#link.starved();
      // The reader may have moved before it could see that it is waited for.
      return this.#reserve(bytes);
    }
    return word;
  }

  begin(bytes: number): number {
    const at = this.#at;
    const next = at + bytes;
    if (next <= this.#end && (bytes & 7) === 0 && next > at) {
      this.#at = next;
      return at >>> 2;
    }
    let waited = 0;
    for (;;) {
      const word = this.#reserve(bytes);
      if (word >= 0) return word;
      if (this.#end < 0) throw this.#link.closeReason();
      this.flush();
      const before = this.#tail;
      this.#link.block(waited);
      this.#refresh();
      waited = this.#tail === before ? waited + 1 : 0;
    }
  }

  flush(): void {
    const to = this.position;
    const from = this.#published;
    if (to === from || this.#end < 0) return;
    this.#published = to;
    Atomics.store(this.#control, HEAD, to | 0);
    this.#link.published(from, to);
  }

  /** From now on nothing can be begun or published. */
  shut(): void {
    this.#end = -1;
  }

  #reserve(bytes: number): number {
    if (!Number.isInteger(bytes) || bytes < 8 || bytes > this.maxRecord || (bytes & 7) !== 0)
      throw new RangeError(
        `a record of ${bytes} bytes: records are multiples of 8 from 8 to ${this.maxRecord} bytes; split it`,
      );
    if (this.#end < 0) return -1;
    if (this.unpublished >= this.#window) this.flush();
    this.#refresh();
    let used = (this.position - this.#tail) >>> 0;
    if (this.#end < 0) return -1;
    // Restarting an idle ring at its beginning keeps what both ends touch within their caches.
    const restart = used === 0 && this.#at >= this.#far && bytes <= this.#at;
    if (restart || this.#at + bytes > this.capacity) {
      const padding = this.capacity - this.#at;
      if (used + padding + bytes > this.capacity) return -1;
      if (padding > 0) {
        this.flush();
        if (this.#end < 0) return -1;
        this.#link.padded(this.position, padding);
        this.u32[this.#at >>> 2] = padding;
        this.u32[(this.#at >>> 2) + 1] = 0;
      }
      this.#lap = (this.#lap + this.capacity) >>> 0;
      this.#at = 0;
      used += padding;
    } else if (used + bytes > this.capacity) return -1;
    const at = this.#at;
    this.#at = at + bytes;
    this.#end = Math.min(this.capacity, at + this.capacity - used, this.#at + this.#window);
    return at >>> 2;
  }

  #refresh(): void {
    const tail = Atomics.load(this.#control, TAIL) >>> 0;
    if (tail === this.#tail) return;
    // The reader may only have moved forward, on record boundaries, over what was published.
    const moved = (tail - this.#tail) >>> 0;
    if (moved > (this.#published - this.#tail) >>> 0 || (moved & 7) !== 0) {
      if (this.#end < 0) return;
      const error = new ProtocolError(
        "bad-tail",
        `the reader claims position ${tail}, which is not between ${this.#tail} and ${this.#published}`,
      );
      this.#link.writerFailed(error);
      return;
    }
    this.#tail = tail;
  }
}
