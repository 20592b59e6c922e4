/**
 * A register of a configuration space: where it is, what it holds, and which way it can be used. Two registers may share
 * an offset: what is written there is then not what is read there.
 */
import { bytesToGuid, guidToBytes } from "parhelion-protocol";

interface RegisterBase {
  readonly name: string;
  /** Bytes from the start of the space. */
  readonly offset: number;
  readonly length: number;
}

export interface ReadableRegister<T> extends RegisterBase {
  decode(bytes: Uint8Array): T;
}

export interface WritableRegister<T> extends RegisterBase {
  encode(value: T): Uint8Array;
}

export type Register<T> = ReadableRegister<T> & WritableRegister<T>;

type Layout<T> = (name: string, offset: number) => Register<T>;

/** A little-endian unsigned number of 1 to 4 bytes. */
export function unsigned(length: 1 | 2 | 3 | 4): Layout<number> {
  return (name, offset) => ({
    name,
    offset,
    length,
    decode: (bytes) => bytes.reduceRight((sum, byte) => 256 * sum + byte, 0),
    encode: (value) => Uint8Array.from({ length }, (_, i) => Math.floor(value / 256 ** i) % 256),
  });
}

export const unsigned64: Layout<bigint> = (name, offset) => ({
  name,
  offset,
  length: 8,
  decode: (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true),
  encode: (value) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    return bytes;
  },
});

export const guid: Layout<string> = (name, offset) => ({
  name,
  offset,
  length: 16,
  decode: bytesToGuid,
  encode: guidToBytes,
});
