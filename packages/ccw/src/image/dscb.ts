/**
 * The entries of a volume's table of contents (data set control blocks): a key of 44 bytes and data of 96. Format 1 describes a
 * dataset and its first three extents, format 3 more extents, format 4 the table itself. Layout: IBM DFSMSdfp Advanced
 * Services (SC26-7400), "DSCB formats".
 */
import { fromEbcdic } from "./ebcdic.js";
import { ImageError } from "./error.js";
import type { TrackAddress } from "./geometry.js";
import type { TrackSource } from "./track-source.js";

export interface DatasetExtent {
  /** Track numbers, both included. */
  readonly first: number;
  readonly last: number;
}

export type Organization = "PS" | "PO" | "DA" | "IS" | "VSAM" | "unknown";

export interface VolumeDataset {
  readonly name: string;
  readonly organization: Organization;
  /** For example FB, VBA, U; empty where it is not set. */
  readonly recordFormat: string;
  readonly recordLength: number;
  readonly blockSize: number;
  readonly keyLength: number;
  readonly extents: readonly DatasetExtent[];
  readonly tracks: number;
  /** Where the last block is: track counted from the dataset's first, and record. */
  readonly lastBlock: { readonly track: number; readonly record: number };
  /** As year and day of the year; undefined where it is not set. */
  readonly created: DayOfYear | undefined;
  readonly expires: DayOfYear | undefined;
  readonly referenced: DayOfYear | undefined;
}

export interface DayOfYear {
  readonly year: number;
  readonly day: number;
}

interface RawExtent {
  readonly type: number;
  readonly sequence: number;
  readonly first: TrackAddress;
  readonly last: TrackAddress;
}

export type Dscb =
  | {
      readonly format: 1;
      readonly name: string;
      readonly data: Uint8Array;
      readonly extents: readonly RawExtent[];
      readonly next: string | undefined;
    }
  | { readonly format: 3; readonly extents: readonly RawExtent[]; readonly next: string | undefined }
  | { readonly format: 4; readonly contentsEnd: TrackAddress };

const keySize = 44;
const dataSize = 96;

/** Undefined for entries that are free or of other formats. */
export function parseDscb(key: Uint8Array, data: Uint8Array): Dscb | undefined {
  if (key.length !== keySize || data.length !== dataSize) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (view.getUint8(0)) {
    case 0xf1:
      return {
        format: 1,
        name: fromEbcdic(key).trimEnd(),
        data,
        extents: extentsIn(data, 61, 3),
        next: pointer(view, 91),
      };
    case 0xf3:
      return {
        format: 3,
        extents: [...extentsIn(key, 4, 4), ...extentsIn(data, 1, 9)],
        next: pointer(view, 91),
      };
    case 0xf4: {
      const [own] = extentsIn(data, 61, 1);
      return own === undefined ? undefined : { format: 4, contentsEnd: own.last };
    }
    default:
      return undefined;
  }
}

function extentsIn(bytes: Uint8Array, at: number, count: number): RawExtent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extents: RawExtent[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = at + index * 10;
    const type = view.getUint8(start);
    if (type === 0) break;
    extents.push({
      type,
      sequence: view.getUint8(start + 1),
      first: { cylinder: view.getUint16(start + 2), head: view.getUint16(start + 4) },
      last: { cylinder: view.getUint16(start + 6), head: view.getUint16(start + 8) },
    });
  }
  return extents;
}

/** Cylinder, head and record of another entry. */
function pointer(view: DataView, at: number): string | undefined {
  const record = view.getUint8(at + 4);
  return record === 0 ? undefined : `${view.getUint16(at)}.${view.getUint16(at + 2)}.${record}`;
}

const organizations: readonly (readonly [number, Organization])[] = [
  [0x4000, "PS"],
  [0x0200, "PO"],
  [0x2000, "DA"],
  [0x8000, "IS"],
  [0x0008, "VSAM"],
];

/** Extents of this type hold user labels, no data. */
const labelExtent = 0x40;
const mostExtents = 123;

/** @throws ImageError image-dataset where its extents are no tracks of the disk, or go in a circle */
export function datasetOf(
  dscb: Dscb & { readonly format: 1 },
  entries: ReadonlyMap<string, Dscb>,
  image: Pick<TrackSource, "geometry" | "path">,
): VolumeDataset {
  const { heads, tracks } = image.geometry;
  const wrong = (what: string) =>
    new ImageError("image-dataset", { file: image.path }, `dataset ${dscb.name}: ${what}`);
  const { data } = dscb;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const raw = [...dscb.extents];
  const seen = new Set<string>();
  for (let next = dscb.next; next !== undefined; ) {
    const more = entries.get(next);
    if (seen.has(next) || more?.format !== 3)
      throw wrong(
        `its extents go on at ${next} (cylinder.head.record), where there is no further list of them`,
      );
    seen.add(next);
    raw.push(...more.extents);
    next = more.next;
  }
  if (raw.length > mostExtents) throw wrong(`${raw.length} extents; there can be ${mostExtents}`);
  const extents = raw
    .filter(({ type }) => type !== labelExtent)
    .sort((one, other) => one.sequence - other.sequence)
    .map(({ first, last }) => {
      const from = first.cylinder * heads + first.head;
      const to = last.cylinder * heads + last.head;
      if (first.head >= heads || last.head >= heads || from > to || to >= tracks)
        throw wrong(`an extent from track ${from} to ${to}, on a disk of ${tracks} tracks`);
      return { first: from, last: to };
    });
  const organization = view.getUint16(38);
  return {
    name: dscb.name,
    organization: organizations.find(([bit]) => (organization & bit) !== 0)?.[1] ?? "unknown",
    recordFormat: recordFormat(view.getUint8(40)),
    recordLength: view.getUint16(44),
    blockSize: view.getUint16(42),
    keyLength: view.getUint8(46),
    extents,
    tracks: extents.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    lastBlock: { track: view.getUint16(54), record: view.getUint8(56) },
    created: day(view, 9),
    expires: day(view, 12),
    referenced: day(view, 31),
  };
}

function recordFormat(byte: number): string {
  const kind = ["", "V", "F", "U"][((byte >> 6) & 3) as 0 | 1 | 2 | 3] as string;
  const bits: readonly (readonly [number, string])[] = [
    [0x20, "T"],
    [0x10, "B"],
    [0x08, "S"],
    [0x04, "A"],
    [0x02, "M"],
  ];
  return kind + bits.map(([bit, letter]) => ((byte & bit) === 0 ? "" : letter)).join("");
}

function day(view: DataView, at: number): DayOfYear | undefined {
  const year = view.getUint8(at);
  const dayOfYear = view.getUint16(at + 1);
  return year === 0 && dayOfYear === 0 ? undefined : { year: 1900 + year, day: dayOfYear };
}
