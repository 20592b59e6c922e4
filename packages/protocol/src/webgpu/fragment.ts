/**
 * Records that are larger than the ring's largest travel in pieces: opcode 1, `total`, `offset`, `bytes`, a zero word,
 * then that many bytes of the whole record, in order and without gaps. Only pieces of one record may follow each other.
 */
import type { RingWriter } from "../carrier/port.js";
import { ProtocolError } from "../error.js";
import { MAX_ASSEMBLED_RECORD } from "./limits.js";
import { RecordViews } from "./record-views.js";

export const FRAGMENT_OPCODE = 1;
export const FRAGMENT_HEADER_BYTES = 24;

/** @param parts what makes the whole record when put together, header included, a multiple of 8 bytes */
export function writeFragments(tx: RingWriter, parts: readonly Uint8Array[]): void {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  if (total > MAX_ASSEMBLED_RECORD) {
    throw new RangeError(`one command takes ${total} bytes, at most ${MAX_ASSEMBLED_RECORD} are sent`);
  }
  const most = (tx.maxRecord - FRAGMENT_HEADER_BYTES) & ~7;
  let part = 0;
  let partAt = 0;
  for (let offset = 0; offset < total; offset += most) {
    const piece = Math.min(most, total - offset);
    const i = tx.begin(FRAGMENT_HEADER_BYTES + piece);
    const { u32 } = tx;
    u32[i] = FRAGMENT_HEADER_BYTES + piece;
    u32[i + 1] = FRAGMENT_OPCODE;
    u32[i + 2] = total;
    u32[i + 3] = offset;
    u32[i + 4] = piece;
    u32[i + 5] = 0;
    for (let at = 0; at < piece; ) {
      const from = parts[part]!;
      const bytes = Math.min(piece - at, from.length - partAt);
      tx.u8.set(from.subarray(partAt, partAt + bytes), i * 4 + FRAGMENT_HEADER_BYTES + at);
      at += bytes;
      partAt += bytes;
      if (partAt === from.length) {
        part += 1;
        partAt = 0;
      }
    }
  }
}

/** Puts pieces together in memory that grows with what has arrived, never with what was announced. */
export class FragmentAssembler {
  readonly #limit: number;
  #memory: Uint8Array = new Uint8Array(0);
  #total = 0;
  #received = 0;

  /** @param limit bytes of an assembled record */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether a record has begun and is not complete. */
  get pending(): boolean {
    return this.#total !== 0;
  }

  /** Takes one fragment record. @returns the whole record once it is complete */
  add(views: RecordViews, i: number, bytes: number): RecordViews | undefined {
    if (bytes < FRAGMENT_HEADER_BYTES) throw bad(`${bytes} bytes are too few for its header`);
    const total = views.u32[i + 2]!;
    const offset = views.u32[i + 3]!;
    const piece = views.u32[i + 4]!;
    if (this.#total === 0) this.#begin(total);
    if (total !== this.#total) throw bad(`its record has ${total} bytes, the one begun has ${this.#total}`);
    if (offset !== this.#received) throw bad(`its offset is ${offset}, expected ${this.#received}`);
    if (piece === 0 || piece > bytes - FRAGMENT_HEADER_BYTES || piece > total - offset) {
      throw bad(`${piece} bytes at ${offset} of ${total} do not fit`);
    }
    this.#reserve(offset + piece);
    const start = i * 4 + FRAGMENT_HEADER_BYTES;
    this.#memory.set(views.u8.subarray(start, start + piece), offset);
    this.#received += piece;
    return this.#received === total ? this.#complete() : undefined;
  }

  #begin(total: number): void {
    if (total < 8 || total % 8 !== 0) throw bad(`a record can't have ${total} bytes`);
    if (total > this.#limit) {
      throw new ProtocolError(
        "over-limit",
        `a record of ${total} bytes, at most ${this.#limit} are assembled`,
      );
    }
    this.#total = total;
    this.#received = 0;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#memory.length) return;
    const memory = new Uint8Array(Math.min(this.#total, Math.max(bytes, this.#memory.length * 2)));
    memory.set(this.#memory.subarray(0, this.#received));
    this.#memory = memory;
  }

  #complete(): RecordViews {
    const memory = this.#memory;
    const total = this.#total;
    this.#memory = new Uint8Array(0);
    this.#total = 0;
    this.#received = 0;
    const views = new RecordViews(memory.buffer);
    if (views.u32[0] !== total) throw bad(`${total} bytes were assembled of a record of ${views.u32[0]}`);
    return views;
  }
}

function bad(problem: string): ProtocolError {
  return new ProtocolError("bad-fragment", `fragment: ${problem}`);
}
