/**
 * How control structs lie in bytes: fields in order, little-endian, no padding; everything of variable length carries
 * its byte length. A body that ends between two fields leaves the rest at their defaults (the sender is older), bytes
 * behind the last known field are skipped (the sender is newer), a field cut in the middle is an error.
 *
 *     u8 u16 u32 i32 u64     the number
 *     guid hex16             16 bytes
 *     string bytes           u32 bytes, then these
 *     struct                 u32 bytes, then its fields
 *     list                   u32 bytes, then the elements up to there
 */
import { ProtocolError } from "../error.js";

export const zeroGuid = "00000000-0000-0000-0000-000000000000";
export const zeroHex16 = "00000000000000000000000000000000";

export interface StructSpec<T> {
  readonly name: string;
  defaults(): T;
  write(writer: StructWriter, value: Partial<T>): void;
  read(reader: StructReader): T;
}

export interface StructCodec<T> extends StructSpec<T> {
  /**
   * Missing fields get their defaults.
   * @throws ProtocolError too-long (a field above its limit), bad-value (a number or text that the field can't hold)
   */
  encode(value: Partial<T>): Uint8Array;
  /** @throws ProtocolError truncated, bad-length, too-long, bad-text */
  decode(bytes: Uint8Array): T;
}

export function structCodec<T>(spec: StructSpec<T>): StructCodec<T> {
  return {
    ...spec,
    encode(value) {
      const writer = new StructWriter();
      spec.write(writer, value);
      return writer.finish();
    },
    decode: (bytes) => spec.read(new StructReader(spec.name, bytes)),
  };
}

/** A request and its reply. */
export interface Exchange<Q, R> {
  readonly type: number;
  readonly name: string;
  readonly request: StructCodec<Q>;
  readonly reply: StructCodec<R>;
}

/** A message without a reply. */
export interface Notice<T> {
  readonly type: number;
  readonly name: string;
  readonly body: StructCodec<T>;
}

const initialBytes = 256;

export class StructWriter {
  #bytes = new Uint8Array(initialBytes);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): void {
    const at = this.#take(1);
    this.#view.setUint8(at, whole(value, 0, 0xff));
  }

  u16(value: number): void {
    const at = this.#take(2);
    this.#view.setUint16(at, whole(value, 0, 0xffff), true);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, whole(value, 0, 0xffff_ffff), true);
  }

  i32(value: number): void {
    const at = this.#take(4);
    this.#view.setInt32(at, whole(value, -0x8000_0000, 0x7fff_ffff), true);
  }

  u64(value: bigint): void {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn)
      throw new ProtocolError("bad-value", `${value} is no u64`);
    const at = this.#take(8);
    this.#view.setBigUint64(at, value, true);
  }

  guid(value: string): void {
    this.#raw(guidToBytes(value));
  }

  hex16(value: string): void {
    if (!/^[0-9a-f]{32}$/.test(value))
      throw new ProtocolError("bad-value", "expected 32 lower-case hex digits");
    const at = this.#take(16);
    for (let i = 0; i < 16; i++) this.#bytes[at + i] = Number.parseInt(value.slice(2 * i, 2 * i + 2), 16);
  }

  string(value: string, max: number): void {
    this.bytes(new TextEncoder().encode(value), max);
  }

  bytes(value: Uint8Array, max: number): void {
    if (value.length > max) throw new ProtocolError("too-long", `${value.length} bytes, the limit is ${max}`);
    this.u32(value.length);
    this.#raw(value);
  }

  struct(write: () => void): void {
    const at = this.#take(4);
    write();
    this.#view.setUint32(at, this.#length - at - 4, true);
  }

  list<T>(values: readonly T[], max: number, write: (value: T) => void): void {
    if (values.length > max)
      throw new ProtocolError("too-long", `${values.length} elements, the limit is ${max}`);
    this.struct(() => {
      for (const value of values) write(value);
    });
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** May replace the buffer and its view: call it before they are looked at. */
  #take(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

function whole(value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new ProtocolError("bad-value", `${value} is not an integer from ${low} to ${high}`);
  }
  return value;
}

export class StructReader {
  readonly #where: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(where: string, bytes: Uint8Array) {
    this.#where = where;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether the body goes on here; when not, the sender does not know this field or what follows. */
  has(): boolean {
    return this.#at < this.#bytes.length;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(field, 1));
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(field, 2), true);
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#take(field, 4), true);
  }

  i32(field: string): number {
    return this.#view.getInt32(this.#take(field, 4), true);
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#take(field, 8), true);
  }

  guid(field: string): string {
    const at = this.#take(field, 16);
    return bytesToGuid(this.#bytes.subarray(at, at + 16));
  }

  hex16(field: string): string {
    const at = this.#take(field, 16);
    return hex(this.#bytes.subarray(at, at + 16));
  }

  string(field: string, max: number): string {
    const bytes = this.#span(field, max);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new ProtocolError("bad-text", `${this.#where}.${field} is not UTF-8`, { cause });
    }
  }

  bytes(field: string, max: number): Uint8Array {
    return this.#span(field, max).slice();
  }

  struct<T>(field: string, read: (reader: StructReader) => T): T {
    return read(new StructReader(`${this.#where}.${field}`, this.#span(field, this.#bytes.length)));
  }

  list<T>(field: string, max: number, read: (reader: StructReader) => T): T[] {
    const reader = new StructReader(`${this.#where}.${field}`, this.#span(field, this.#bytes.length));
    const values: T[] = [];
    while (reader.has()) {
      if (values.length === max)
        throw new ProtocolError("too-long", `${this.#where}.${field} has more than ${max} elements`);
      values.push(read(reader));
    }
    return values;
  }

  #span(field: string, max: number): Uint8Array {
    const length = this.u32(field);
    if (length > this.#bytes.length - this.#at) {
      throw new ProtocolError(
        "bad-length",
        `${this.#where}.${field} claims ${length} bytes, ${this.#bytes.length - this.#at} are left`,
      );
    }
    if (length > max) {
      throw new ProtocolError("too-long", `${this.#where}.${field} has ${length} bytes, the limit is ${max}`);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #take(field: string, bytes: number): number {
    const at = this.#at;
    if (bytes > this.#bytes.length - at) {
      throw new ProtocolError(
        "truncated",
        `${this.#where}.${field} needs ${bytes} bytes, ${this.#bytes.length - at} are left`,
      );
    }
    this.#at += bytes;
    return at;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Memory order of a GUID's bytes in the order of its text: Data1, Data2, Data3 are little-endian numbers. */
const guidOrder: readonly number[] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** @throws ProtocolError bad-value unless `guid` is canonical lower-case text */
export function guidToBytes(guid: string): Uint8Array {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(guid)) {
    throw new ProtocolError("bad-value", `"${guid.slice(0, 64)}" is no GUID in canonical lower-case form`);
  }
  const digits = guid.replaceAll("-", "");
  const bytes = new Uint8Array(16);
  guidOrder.forEach((to, from) => {
    bytes[to] = Number.parseInt(digits.slice(2 * from, 2 * from + 2), 16);
  });
  return bytes;
}

/** @param bytes 16 bytes in memory order */
export function bytesToGuid(bytes: Uint8Array): string {
  const digits = hex(Uint8Array.from(guidOrder, (from) => bytes[from] ?? 0));
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join("-");
}
