/** Records whose whole content follows from their number and size, so that any reader can check them. */
import type { RingReader, RingWriter } from "./port.js";

export const DATA = 1;
/** Asks the reader for a report. */
export const QUERY = 2;
/** Asks the reader's process to stop for good: aux 1 kills it, aux 2 stops it. */
export const END = 3;

const mix = (sequence: number, index: number): number =>
  (Math.imul(sequence, 0x9e3779b1) ^ (index * 0x85eb)) >>> 0;

/** Fills in a record at `word`. @param bytes at least 16 */
export function fill(tx: RingWriter, word: number, sequence: number, bytes: number, opcode = DATA): void {
  tx.u32[word] = bytes;
  tx.u32[word + 1] = opcode;
  tx.u32[word + 2] = sequence;
  for (let i = 3; i < bytes / 4; i++) tx.u32[word + i] = mix(sequence, i);
}

/** As `fill`, for large amounts: writes every word, but cheaply. */
export function fillFast(tx: RingWriter, word: number, sequence: number, bytes: number): void {
  tx.u32.fill(sequence, word, word + bytes / 4);
  tx.u32[word] = bytes;
  tx.u32[word + 1] = DATA;
}

/** Whether the record at `word` is the `sequence`th that `fill` or `fillFast` made. */
export function isIntact(
  rx: RingReader,
  word: number,
  sequence: number,
  how: "full" | "fast" = "full",
): boolean {
  const bytes = rx.recordBytes;
  if (rx.u32[word] !== bytes || rx.u32[word + 2] !== sequence) return false;
  if (how === "fast")
    return rx.u32[word + bytes / 4 - 1] === sequence && rx.u32[word + bytes / 8] === sequence;
  for (let i = 3; i < bytes / 4; i++) if (rx.u32[word + i] !== mix(sequence, i)) return false;
  return true;
}

/** A small generator with a seed, so that a long run can be repeated. @returns numbers in [0, 1) */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
