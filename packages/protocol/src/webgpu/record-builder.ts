/**
 * Where a record of unknown size is put together, in memory of our own: what the program passes may throw half-way, or
 * call WebGPU again from a getter, and neither may leave anything in the ring.
 */
import { MAX_ASSEMBLED_RECORD, MAX_ELEMENTS, MAX_STRING_BYTES } from "./limits.js";

const textEncoder = new TextEncoder();

const FIRST_BYTES = 4096;
/** Memory above this is given back after the record that needed it. */
const KEPT_BYTES = 1 << 20;

export class RecordBuilder {
  u8: Uint8Array;
  u32: Uint32Array;
  i32: Int32Array;
  f32: Float32Array;
  f64: Float64Array;
  /** The word where the next value goes. */
  at = 0;
  /** The `label` member that was encoded, "" when there was none. */
  label = "";
  #elements = 0;

  constructor() {
    const memory = new ArrayBuffer(FIRST_BYTES);
    this.u8 = new Uint8Array(memory);
    this.u32 = new Uint32Array(memory);
    this.i32 = new Int32Array(memory);
    this.f32 = new Float32Array(memory);
    this.f64 = new Float64Array(memory);
  }

  /** Starts over: words 0 and 1 are the header. */
  start(opcode: number, aux = 0): void {
    this.u32[1] = opcode | (aux << 16);
    this.at = 2;
    this.label = "";
    this.#elements = 0;
  }

  /** Completes the header. @returns bytes of the record, a multiple of 8 */
  finish(): number {
    this.even();
    this.u32[0] = this.at * 4;
    return this.at * 4;
  }

  /** Gives large memory back. */
  trim(): void {
    if (this.u8.length > KEPT_BYTES) this.#resize(FIRST_BYTES);
  }

  word(value: number): void {
    this.reserve(1);
    this.u32[this.at++] = value;
  }

  signed(value: number): void {
    this.reserve(1);
    this.i32[this.at++] = value;
  }

  float(value: number): void {
    this.reserve(1);
    this.f32[this.at++] = value;
  }

  /** An integer up to 2^53 - 1, low word first, at an even word. */
  u64(value: number): void {
    this.even();
    this.reserve(2);
    this.u32[this.at] = value;
    this.u32[this.at + 1] = value / 4294967296;
    this.at += 2;
  }

  double(value: number): void {
    this.even();
    this.reserve(2);
    this.f64[this.at >> 1] = value;
    this.at += 2;
  }

  /** @throws RangeError when the text may be beyond MAX_STRING_BYTES */
  text(value: string): void {
    if (value.length > MAX_STRING_BYTES / 3) {
      throw new RangeError(`a string has more than ${Math.floor(MAX_STRING_BYTES / 3)} code units`);
    }
    // UTF-8 takes at most three bytes for one UTF-16 code unit.
    this.reserve(2 + Math.ceil((value.length * 3) / 4));
    const start = this.at * 4 + 4;
    const bytes = textEncoder.encodeInto(value, this.u8.subarray(start)).written;
    this.u32[this.at] = bytes;
    const padded = (bytes + 3) & ~3;
    this.u8.fill(0, start + bytes, start + padded);
    this.at += 1 + padded / 4;
  }

  /** Leaves room for the `u32 count` of a sequence or record. @returns its word, which `endCount` wants back */
  beginCount(): number {
    this.word(0);
    return this.at - 1;
  }

  /** @throws RangeError beyond MAX_ELEMENTS in the whole record */
  endCount(at: number, elements: number): void {
    this.u32[at] = elements;
    this.#elements += elements;
    if (this.#elements > MAX_ELEMENTS) {
      throw new RangeError(`one command has more than ${MAX_ELEMENTS} elements in its sequences`);
    }
  }

  /** @returns the word of the length, which `endMembers` wants back */
  beginMembers(): number {
    this.reserve(2);
    const start = this.at;
    this.at += 2;
    return start;
  }

  /** @param present one bit for each member that was written, by its number */
  endMembers(start: number, present: number): void {
    this.u32[start] = (this.at - start - 1) * 4;
    this.u32[start + 1] = present;
  }

  even(): void {
    if ((this.at & 1) === 0) return;
    this.reserve(1);
    this.u32[this.at++] = 0;
  }

  reserve(words: number): void {
    const needed = (this.at + words) * 4;
    if (needed <= this.u8.length) return;
    if (needed > MAX_ASSEMBLED_RECORD) {
      throw new RangeError(`one command takes more than ${MAX_ASSEMBLED_RECORD} bytes`);
    }
    this.#resize(Math.min(MAX_ASSEMBLED_RECORD, Math.max(needed + 7, this.u8.length * 2) & ~7));
  }

  #resize(bytes: number): void {
    const memory = new ArrayBuffer(bytes);
    const u8 = new Uint8Array(memory);
    u8.set(this.u8.subarray(0, Math.min(this.at * 4, bytes)));
    this.u8 = u8;
    this.u32 = new Uint32Array(memory);
    this.i32 = new Int32Array(memory);
    this.f32 = new Float32Array(memory);
    this.f64 = new Float64Array(memory);
  }
}
