/**
 * Big-endian structures as the channel subsystem has them in storage: fields of bits, one after the other, the most
 * significant first. A structure is written down once; what reads, writes and measures it is made of that.
 */
import { KernelError } from "parhelion-core";

export interface Field<T> {
  /** In bits. */
  readonly width: number;
  /** @param at bits from the start of `bytes` */
  read(bytes: Uint8Array, at: number): T;
  write(bytes: Uint8Array, at: number, value: T): void;
  readonly zero: () => T;
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** What a structure holds, by the names of its fields; reserved ones are left out. */
export type ValueOf<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Field<null> ? never : K]: F[K] extends Field<infer T> ? T : never;
};

export interface Structure<V> {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Where a field begins and how wide it is, in bits. */
  place(field: keyof V & string): { readonly at: number; readonly width: number };
  /** @param offset in bytes @throws KernelError EINVAL the bytes end before the structure does */
  decode(bytes: Uint8Array, offset?: number): V;
  /** What is not given is zero. @throws KernelError EINVAL a value does not fit its field */
  encode(value: Partial<V>): Uint8Array;
  /** What is not given is zero. */
  make(value?: Partial<V>): V;
  /** As a field of another structure. */
  readonly field: Field<V>;
}

/** An unsigned number of at most 32 bits. */
export function bits(width: number): Field<number> {
  const limit = 2 ** width;
  return {
    width,
    zero: () => 0,
    read(bytes, at) {
      const first = at >> 3;
      const end = (at & 7) + width;
      if (end <= 8) return ((bytes[first] ?? 0) >> (8 - end)) & (limit - 1);
      const last = first + ((end - 1) >> 3);
      let value = 0;
      for (let index = first; index <= last; index += 1) value = value * 256 + (bytes[index] ?? 0);
      // Up to five bytes, which 32 bits are too few for.
      const behind = 8 * (last - first + 1) - end;
      return behind === 0 && end === width ? value : Math.floor(value / 2 ** behind) % limit;
    },
    write(bytes, at, value) {
      if (!Number.isInteger(value) || value < 0 || value >= limit) {
        throw new KernelError("EINVAL", `${value} does not fit into a field of ${width} bits`);
      }
      let rest = value;
      for (let end = at + width; end > at; ) {
        const index = (end - 1) >> 3;
        const shift = (8 - (end & 7)) & 7;
        const taken = Math.min(8 - shift, end - at);
        const mask = ((1 << taken) - 1) << shift;
        bytes[index] = ((bytes[index] ?? 0) & ~mask) | ((rest << shift) & mask);
        rest >>>= taken;
        end -= taken;
      }
    },
  };
}

/** Kept zero. */
export function reserved(width: number): Field<null> {
  return { width, zero: () => null, read: () => null, write: () => {} };
}

/** @param length in bytes; the field begins at a byte */
export function byteString(length: number): Field<Uint8Array> {
  return {
    width: 8 * length,
    zero: () => new Uint8Array(length),
    read: (bytes, at) => bytes.slice(at / 8, at / 8 + length),
    write(bytes, at, value) {
      if (value.length > length) {
        throw new KernelError("EINVAL", `${value.length} bytes do not fit into a field of ${length}`);
      }
      bytes.fill(0, at / 8, at / 8 + length);
      bytes.set(value, at / 8);
    },
  };
}

/** 64 bits, for addresses that a number can't hold. */
export const wide: Field<bigint> = {
  width: 64,
  zero: () => 0n,
  read: (bytes, at) => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at / 8),
  write: (bytes, at, value) => new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(at / 8, value),
};

/** A field of a structure: where it is, and what it is. */
interface Part {
  readonly key: string;
  /** In bits, from the structure's begin. */
  readonly at: number;
  readonly field: Field<unknown>;
}

/** @param fields in the order in which they stand */
export function structure<F extends Fields>(name: string, fields: F): Structure<ValueOf<F>> {
  type V = ValueOf<F>;
  const places = new Map<string, { readonly at: number; readonly width: number }>();
  /** Without those that are reserved. */
  const parts: Part[] = [];
  /** What every value starts from: an object that has all its names is quicker to fill than one that gets them. */
  const blank: Record<string, unknown> = {};
  /** What could be changed in place is made anew each time; numbers are copied. */
  const fresh: Part[] = [];
  let end = 0;
  for (const [key, field] of Object.entries(fields)) {
    const zero = field.zero();
    places.set(key, { at: end, width: field.width });
    if (zero !== null) {
      const part = { key, at: end, field };
      const isObject = typeof zero === "object";
      parts.push(part);
      blank[key] = isObject ? undefined : zero;
      if (isObject) fresh.push(part);
    }
    end += field.width;
  }
  const width = end;
  const size = width / 8;

  function placeOf(key: string) {
    const place = places.get(key);
    if (place === undefined) throw new KernelError("EINVAL", `${name} has no field ${key}`);
    return place;
  }

  function read(bytes: Uint8Array, start: number): V {
    const value: Record<string, unknown> = { ...blank };
    for (const { key, at, field } of parts) value[key] = field.read(bytes, start + at);
    return value as V;
  }

  function write(bytes: Uint8Array, start: number, value: object): void {
    const given = value as Readonly<Record<string, unknown>>;
    for (const { key, at, field } of parts) {
      const content = given[key];
      if (content !== undefined) field.write(bytes, start + at, content);
    }
  }

  function make(value: Partial<V>): V {
    const made: Record<string, unknown> = { ...blank, ...value };
    for (const { key, field } of fresh) made[key] ??= field.zero();
    return made as V;
  }

  return {
    name,
    size,
    place: placeOf,
    decode(bytes, offset = 0) {
      if (offset + size > bytes.length) {
        throw new KernelError("EINVAL", `${bytes.length - offset} bytes are no ${name} of ${size}`);
      }
      return read(bytes, 8 * offset);
    },
    encode(value) {
      const bytes = new Uint8Array(size);
      write(bytes, 0, value);
      return bytes;
    },
    make: (value = {}) => make(value),
    field: { width, zero: () => make({}), read, write },
  };
}
