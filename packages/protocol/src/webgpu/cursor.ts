/**
 * Reads the parts of a record that have no fixed place: strings, sequences, dictionaries. Every read is checked against
 * the end of the record and happens once, because the writer may still have its hands on the memory.
 */
import { ProtocolError } from "../error.js";
import { MAX_ELEMENTS, MAX_STRING_BYTES } from "./limits.js";
import type { ObjectTable } from "./object-table.js";
import type { RecordViews } from "./record-views.js";

const textDecoder = new TextDecoder();

/** Presence words carry 31 members each; the top bit says that another one follows. */
const MORE_PRESENCE = 0x80000000;

export class Cursor {
  readonly objects: ObjectTable;
  #views: RecordViews;
  #at = 0;
  #end = 0;
  #elements = 0;

  constructor(views: RecordViews, objects: ObjectTable) {
    this.#views = views;
    this.objects = objects;
  }

  /** @param at the word to begin with; @param end the word behind the record */
  start(views: RecordViews, at: number, end: number): this {
    if (at > end) throw short();
    this.#views = views;
    this.#at = at;
    this.#end = end;
    this.#elements = 0;
    return this;
  }

  word(): number {
    const at = this.#at;
    if (at >= this.#end) throw short();
    this.#at = at + 1;
    return this.#views.u32[at]!;
  }

  signed(): number {
    return this.word() | 0;
  }

  float(): number {
    const at = this.#at;
    if (at >= this.#end) throw short();
    this.#at = at + 1;
    return this.#views.f32[at]!;
  }

  /** @throws ProtocolError `bad-value` above 2^53 - 1 */
  u64(): number {
    const at = (this.#at + 1) & ~1;
    if (at + 2 > this.#end) throw short();
    this.#at = at + 2;
    return wide(this.#views.u32[at]!, this.#views.u32[at + 1]!);
  }

  double(): number {
    const at = (this.#at + 1) & ~1;
    if (at + 2 > this.#end) throw short();
    this.#at = at + 2;
    return this.#views.f64[at >> 1]!;
  }

  boolean(): boolean {
    return this.word() !== 0;
  }

  text(): string {
    const bytes = this.word();
    if (bytes > MAX_STRING_BYTES) {
      throw new ProtocolError(
        "over-limit",
        `a string of ${bytes} bytes, at most ${MAX_STRING_BYTES} are read`,
      );
    }
    const words = Math.ceil(bytes / 4);
    if (words > this.#end - this.#at) throw short();
    const start = this.#at * 4;
    this.#at += words;
    // slice, not subarray: TextDecoder takes no shared memory, and the copy can't change while it is decoded.
    return bytes === 0 ? "" : textDecoder.decode(this.#views.u8.slice(start, start + bytes));
  }

  /** A view of data behind its length: valid until the record is given back. */
  data(): Uint8Array {
    const bytes = this.word();
    this.#at = (this.#at + 1) & ~1;
    const words = Math.ceil(bytes / 4);
    if (this.#at > this.#end || words > this.#end - this.#at) throw short();
    const start = this.#at * 4;
    this.#at += words;
    return this.#views.u8.subarray(start, start + bytes);
  }

  /** The `u32 count` of a sequence whose elements take at least `least` words each. */
  count(least: number): number {
    const count = this.word();
    this.#elements += count;
    if (this.#elements > MAX_ELEMENTS) {
      throw new ProtocolError("over-limit", `more than ${MAX_ELEMENTS} elements in one command`);
    }
    if (count * least > this.#end - this.#at) throw short();
    return count;
  }

  /** An enum value by its number. @throws ProtocolError `not-supported` */
  enum<T extends string>(names: readonly (T | undefined)[], name: string): T {
    return enumName(names, this.word(), name);
  }

  nullableEnum<T extends string>(names: readonly (T | undefined)[], name: string): T | null {
    const number = this.word();
    return number === 0 ? null : enumName(names, number, name);
  }

  object(kind: number): object {
    return this.objects.get(this.word(), kind);
  }

  nullableObject(kind: number): object | null {
    return this.objects.getNullable(this.word(), kind);
  }

  /** Whether a null dictionary is next; steps over it if so. */
  atNull(): boolean {
    if (this.#at >= this.#end) throw short();
    if (this.#views.u32[this.#at] !== 0) return false;
    this.#at += 1;
    return true;
  }

  /** Enters a dictionary. @returns the end of what is around it, which `leave` wants back */
  enter(name: string): number {
    const bytes = this.word();
    const words = bytes >>> 2;
    if (bytes === 0) throw new ProtocolError("missing-member", `${name} is null`);
    if ((bytes & 3) !== 0 || words > this.#end - this.#at) throw short();
    const outer = this.#end;
    this.#end = this.#at + words;
    return outer;
  }

  /** The presence bits of a dictionary. @param required bits that must be there */
  presence(required: number, name: string): number {
    const present = this.word();
    if ((present & MORE_PRESENCE) !== 0) while ((this.word() & MORE_PRESENCE) !== 0);
    if ((present & required) !== required) {
      throw new ProtocolError(
        "missing-member",
        `${name} lacks a required member (bits ${present.toString(2)})`,
      );
    }
    return present;
  }

  /** Leaves a dictionary and skips what was not understood of it. */
  leave(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }
}

/** An unsigned 64-bit value of which WebGPU uses 53 bits. */
export function wide(low: number, high: number): number {
  if (high > 0x1fffff) throw new ProtocolError("bad-value", "an integer above 2^53 - 1");
  return high * 4294967296 + low;
}

export function enumName<T extends string>(
  names: readonly (T | undefined)[],
  number: number,
  name: string,
): T {
  const value = names[number];
  if (value === undefined) throw new ProtocolError("not-supported", `${name} has no value ${number} here`);
  return value;
}

export function short(): ProtocolError {
  return new ProtocolError("short-record", "a record ends before its arguments do");
}
