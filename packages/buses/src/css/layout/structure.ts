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
  return {
    width,
    zero: () => 0,
    read(bytes, at) {
      let value = 0;
      for (let bit = at; bit < at + width; ) {
        const taken = Math.min(8 - (bit % 8), at + width - bit);
        const byte = bytes[bit >> 3] ?? 0;
        value = value * 2 ** taken + ((byte >> (8 - (bit % 8) - taken)) & (2 ** taken - 1));
        bit += taken;
      }
      return value;
    },
    write(bytes, at, value) {
      if (!Number.isInteger(value) || value < 0 || value >= 2 ** width) {
        throw new KernelError("EINVAL", `${value} does not fit into a field of ${width} bits`);
      }
      let rest = value;
      for (let end = at + width; end > at; ) {
        const taken = Math.min(end % 8 || 8, end - at);
        const shift = (8 - (end % 8)) % 8;
        const mask = (2 ** taken - 1) << shift;
        const index = (end - 1) >> 3;
        bytes[index] = ((bytes[index] ?? 0) & ~mask) | (((rest % 2 ** taken) << shift) & mask);
        rest = Math.floor(rest / 2 ** taken);
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

/** @param fields in the order in which they stand */
export function structure<F extends Fields>(name: string, fields: F): Structure<ValueOf<F>> {
  type V = ValueOf<F>;
  const places = new Map<string, { readonly at: number; readonly width: number }>();
  let end = 0;
  for (const [key, { width }] of Object.entries(fields)) {
    places.set(key, { at: end, width });
    end += width;
  }
  const width = end;
  const size = width / 8;

  function placeOf(key: string) {
    const place = places.get(key);
    if (place === undefined) throw new KernelError("EINVAL", `${name} has no field ${key}`);
    return place;
  }

  const field: Field<V> = {
    width,
    zero: () => make({}),
    read(bytes, at) {
      const value: Record<string, unknown> = {};
      for (const [key, part] of Object.entries(fields)) {
        const content = part.read(bytes, at + placeOf(key).at);
        if (content !== null) value[key] = content;
      }
      return value as V;
    },
    write,
  };

  function write(bytes: Uint8Array, at: number, value: object): void {
    const given = value as Readonly<Record<string, unknown>>;
    for (const [key, part] of Object.entries(fields)) {
      if (given[key] !== undefined) part.write(bytes, at + placeOf(key).at, given[key]);
    }
  }

  // Numbers are copied; what could be changed in place is made anew each time.
  const numbers: Record<string, unknown> = {};
  const objects: [key: string, zero: () => unknown][] = [];
  for (const [key, part] of Object.entries(fields)) {
    const zero = part.zero();
    if (typeof zero === "object" && zero !== null) objects.push([key, part.zero]);
    else if (zero !== null) numbers[key] = zero;
  }

  function make(value: Partial<V>): V {
    const made: Record<string, unknown> = { ...numbers, ...value };
    for (const [key, zero] of objects) made[key] ??= zero();
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
      return field.read(bytes, 8 * offset);
    },
    encode(value) {
      const bytes = new Uint8Array(size);
      write(bytes, 0, value);
      return bytes;
    },
    make: (value = {}) => make(value),
    field,
  };
}
