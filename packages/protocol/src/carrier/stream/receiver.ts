import { ProtocolError } from "../../error.js";
import { HEAD, type RingMemory, TAIL } from "../ring-layout.js";
import { FRAME_BYTES, FRAME_CREDIT, FRAME_DATA, FRAME_PADDING } from "./frames.js";

/** What a receiver tells its port; both are called while bytes are taken, so they only take notes. */
export interface ReceiverEvents {
  /** Records were published in the receiving ring. */
  arrived(): void;
  /** The other end's reader is at `position`. */
  credited(position: number): void;
}

/** Puts the bytes that arrive into the same place of this end's ring. Every number is checked before it is used. */
export class Receiver {
  readonly #ring: Uint8Array;
  readonly #words: Uint32Array;
  readonly #control: Int32Array;
  readonly #events: ReceiverEvents;
  readonly #header = new Uint8Array(FRAME_BYTES);
  readonly #headerWords = new Uint32Array(this.#header.buffer);
  #headerHave = 0;
  #bodyLeft = 0;
  /** Position up to which bytes have arrived. */
  #position = 0;

  constructor(memory: RingMemory, events: ReceiverEvents) {
    this.#ring = new Uint8Array(memory.buffer, memory.offset, memory.capacity);
    this.#words = new Uint32Array(memory.buffer, memory.offset, memory.capacity / 4);
    this.#control = memory.control;
    this.#events = events;
  }

  /** @throws ProtocolError bad-frame, no-credit */
  take(chunk: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.#bodyLeft > 0) {
        const bytes = Math.min(this.#bodyLeft, to - at);
        this.#ring.set(chunk.subarray(at, at + bytes), this.#offset);
        at += bytes;
        this.filled(bytes);
      } else {
        this.#header[this.#headerHave++] = chunk[at++] as number;
        if (this.#headerHave === FRAME_BYTES) {
          this.#headerHave = 0;
          this.#begin(this.#headerWords[0] as number, this.#headerWords[1] as number);
        }
      }
    }
  }

  /** Bytes of the frame's body that are still to come; they may be read straight into the ring at `bodyOffset`. */
  get bodyLeft(): number {
    return this.#bodyLeft;
  }

  get ring(): Uint8Array {
    return this.#ring;
  }

  get bodyOffset(): number {
    return this.#offset;
  }

  /** `bytes` of the body are in the ring now. */
  filled(bytes: number): void {
    this.#position = (this.#position + bytes) >>> 0;
    this.#bodyLeft -= bytes;
    if (this.#bodyLeft === 0) this.#publish();
  }

  get #offset(): number {
    return this.#position & (this.#ring.length - 1);
  }

  #publish(): void {
    Atomics.store(this.#control, HEAD, this.#position | 0);
    this.#events.arrived();
  }

  #begin(kind: number, number: number): void {
    if (kind === FRAME_CREDIT) {
      this.#events.credited(number);
      return;
    }
    if (kind !== FRAME_DATA && kind !== FRAME_PADDING)
      throw new ProtocolError("bad-frame", `a frame of unknown kind ${kind}`);
    const at = this.#offset;
    const toEnd = this.#ring.length - at;
    if (number === 0 || (number & 7) !== 0 || number > toEnd || (kind === FRAME_PADDING && number !== toEnd))
      throw new ProtocolError(
        "bad-frame",
        `a frame of ${number} bytes at offset ${at} of a ring of ${this.#ring.length}`,
      );
    const used = (this.#position - (Atomics.load(this.#control, TAIL) >>> 0)) >>> 0;
    if (number > this.#ring.length - used)
      throw new ProtocolError(
        "no-credit",
        `${number} bytes were sent where ${this.#ring.length - used} were free`,
      );
    if (kind === FRAME_DATA) {
      this.#bodyLeft = number;
      return;
    }
    this.#words[at >>> 2] = number;
    this.#words[(at >>> 2) + 1] = 0;
    this.#position = (this.#position + number) >>> 0;
    this.#publish();
  }
}
