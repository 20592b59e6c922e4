/**
 * The second 512 bytes of a compressed image: sizes of its tables, what is used and free, and how tracks are packed. Numbers are
 * little-endian unless an option says otherwise.
 */
import { ImageError } from "./error.js";
import { headerSize } from "./header.js";
import type { ImageFile } from "./image-file.js";
import { isNullFormat, type NullFormat } from "./null-track.js";

export const compressedHeaderPosition = headerSize;
export const levelOnePosition = 2 * headerSize;
export const levelOneEntrySize = 4;
export const levelTwoEntries = 256;
export const levelTwoEntrySize = 8;
export const levelTwoSize = levelTwoEntries * levelTwoEntrySize;

const optionsAt = 3;
export const imageOptions = {
  bigEndian: 0x02,
  spaceErrors: 0x20,
  /** Was opened for writing since `cckdcdsk` looked at it last. */
  writtenSinceCheck: 0x40,
  /** Is open for writing, or was not closed in order. */
  opened: 0x80,
} as const;

export type Compression = "none" | "zlib" | "bzip2";
const compressions = ["none", "zlib", "bzip2"] as const;

export interface CompressedHeader {
  readonly options: number;
  readonly littleEndian: boolean;
  readonly levelOneEntries: number;
  readonly size: number;
  readonly used: number;
  /** Where the list of free space stands; 0 for none. */
  readonly freePosition: number;
  readonly freeTotal: number;
  readonly freeLargest: number;
  readonly freeNumber: number;
  readonly freeEmbedded: number;
  readonly cylinders: number;
  readonly nullFormat: NullFormat;
  readonly compression: Compression;
  /** All 512 bytes: what is not known is kept. */
  readonly bytes: Uint8Array;
}

/** @throws ImageError image-truncated, image-header, image-compression */
export async function readCompressedHeader(file: ImageFile): Promise<CompressedHeader> {
  const bytes = await file.read(compressedHeaderPosition, headerSize);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const options = view.getUint8(optionsAt);
  const little = (options & imageOptions.bigEndian) === 0;
  const wrong = (at: number, what: string, code: "image-header" | "image-compression" = "image-header") =>
    new ImageError(code, { file: file.path, offset: compressedHeaderPosition + at }, what);
  const version = [...bytes.subarray(0, 3)].join(".");
  if (view.getUint8(0) !== 0 || view.getUint8(1) > 3)
    throw wrong(0, `version ${version} of the compressed format; up to 0.3.x is known`);
  const perTable = view.getInt32(8, little);
  if (perTable !== levelTwoEntries)
    throw wrong(8, `level-2 tables of ${perTable} entries; there are always ${levelTwoEntries}`);
  const packing = view.getUint8(45);
  const compression = compressions[packing];
  if (compression === undefined)
    throw wrong(45, `compression ${packing} is of no known kind`, "image-compression");
  const empty = view.getUint8(44);
  return {
    options,
    littleEndian: little,
    levelOneEntries: view.getInt32(4, little),
    size: view.getUint32(12, little),
    used: view.getUint32(16, little),
    freePosition: view.getUint32(20, little),
    freeTotal: view.getUint32(24, little),
    freeLargest: view.getUint32(28, little),
    freeNumber: view.getInt32(32, little),
    freeEmbedded: view.getUint32(36, little),
    // Unlike the rest it is little-endian in every file.
    cylinders: view.getUint32(40, true),
    nullFormat: isNullFormat(empty) ? empty : 0,
    compression,
    bytes,
  };
}

export type SpaceFields = Pick<
  CompressedHeader,
  "options" | "size" | "used" | "freePosition" | "freeTotal" | "freeLargest" | "freeNumber" | "freeEmbedded"
>;

/** The header's bytes with other fields of space and options. Fresh memory. */
export function withSpace(header: CompressedHeader, fields: SpaceFields): Uint8Array {
  const bytes = header.bytes.slice();
  const view = new DataView(bytes.buffer);
  const little = header.littleEndian;
  // The list of free space is in the format of 0.3.1.
  bytes.set([0, 3, 1]);
  view.setUint8(optionsAt, fields.options);
  view.setUint32(12, fields.size, little);
  view.setUint32(16, fields.used, little);
  view.setUint32(20, fields.freePosition, little);
  view.setUint32(24, fields.freeTotal, little);
  view.setUint32(28, fields.freeLargest, little);
  view.setInt32(32, fields.freeNumber, little);
  view.setUint32(36, fields.freeEmbedded, little);
  return bytes;
}
