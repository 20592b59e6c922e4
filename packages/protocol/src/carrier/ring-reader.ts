import { ProtocolError } from "../error.js";
import type { ProtocolErrorCode } from "../error-codes.js";
import type { RingReader } from "./port.js";
import { HEAD, type RingMemory, TAIL } from "./ring-layout.js";

/** What a ring's reader needs from its carrier. */
export interface ReaderLink {
  /** `next` is about to return -1: arrange for `onReadable`. */
  drained(): void;
  /** The tail moved: wake the writer if it waits. */
  released(): void;
  /** What was published is impossible: close. */
  readerFailed(error: ProtocolError): void;
}

/** The reading end of a ring. Nothing that the other end writes can make it read outside the ring or loop for ever. */
export class Reader implements RingReader {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly capacity: number;
  readonly maxRecord: number;
  recordBytes = 0;
  readonly #control: Int32Array;
  readonly #link: ReaderLink;
  /** How much may be read and not yet given back. */
  readonly #lazy: number;
  #state: "open" | "shut" = "open";
  /** Byte offset of the next record; records up to #limit are published. */
  #at = 0;
  #limit = 0;
  /** Position of offset 0 in this lap. */
  #lap = 0;
  #released = 0;
  /** Size of the record that `next` returned and that is not done; 0: none. */
  #held = 0;

  constructor(memory: RingMemory, link: ReaderLink) {
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
    this.#lazy = capacity / 8;
  }

  /** Position of the first byte that was not read yet. */
  get position(): number {
    return (this.#lap + this.#at) >>> 0;
  }

  next(): number {
    if (this.#held !== 0) return this.#at >>> 2;
    let looks = 0;
    for (;;) {
      if (this.#at === this.#limit) {
        // Two looks at the head, one each side of the ring's end: a writer that publishes only padding can't keep us here.
        if (looks === 2 || !this.#refresh()) {
          if (this.#state === "shut") return -1;
          this.release();
          this.#link.drained();
          return -1;
        }
        looks++;
      }
      const at = this.#at;
      const word = at >>> 2;
      const size = this.u32[word] as number;
      if (size < 8 || (size & 7) !== 0 || size > this.#limit - at) {
        this.#fail(
          "bad-record",
          `a record of ${size} bytes at offset ${at}, where ${this.#limit - at} bytes are published`,
        );
      }
      if (((this.u32[word + 1] as number) & 0xffff) !== 0) {
        this.#held = size;
        this.recordBytes = size;
        return word;
      }
      this.#at = at + size;
      this.#releaseIfMuch();
    }
  }

  done(): void {
    this.#at += this.#held;
    this.#held = 0;
    this.#releaseIfMuch();
  }

  /** Publishes the tail. */
  release(): void {
    const position = this.position;
    if (position === this.#released || this.#state === "shut") return;
    this.#released = position;
    Atomics.store(this.#control, TAIL, position | 0);
    this.#link.released();
  }

  /** Whether more is published than was read. Does not check what. */
  hasNews(): boolean {
    return this.#state === "open" && Atomics.load(this.#control, HEAD) >>> 0 !== this.position;
  }

  /** Bytes that are published, as far as that is possible, and were not read. */
  get backlog(): number {
    if (this.#state === "shut") return 0;
    const head = Atomics.load(this.#control, HEAD) >>> 0;
    return Math.min((head - this.position) >>> 0, this.capacity);
  }

  /** From now on there are no records. */
  shut(): void {
    this.#state = "shut";
    this.#limit = this.#at;
    this.#held = 0;
  }

  #releaseIfMuch(): void {
    if ((this.position - this.#released) >>> 0 >= this.#lazy) this.release();
  }

  /** Learns what was published since; false when nothing was. */
  #refresh(): boolean {
    if (this.#state === "shut") return false;
    const head = Atomics.load(this.#control, HEAD) >>> 0;
    const position = this.position;
    const available = (head - position) >>> 0;
    if (available === 0) return false;
    if (available > this.capacity - ((position - this.#released) >>> 0) || (available & 7) !== 0)
      this.#fail(
        "bad-head",
        `the writer claims position ${head}, and ${position} was read in a ring of ${this.capacity}`,
      );
    if (this.#at === this.capacity) {
      this.#lap = (this.#lap + this.capacity) >>> 0;
      this.#at = 0;
    }
    this.#limit = Math.min(this.capacity, this.#at + available);
    return true;
  }

  #fail(code: ProtocolErrorCode, message: string): never {
    const error = new ProtocolError(code, message);
    this.#link.readerFailed(error);
    throw error;
  }
}
