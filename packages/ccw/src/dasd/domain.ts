/** The domain of a locate record: which commands may follow, how many, and where they begin. */
import type { Geometry, TrackAddress } from "../image/geometry.js";
import { checkExtent, type Extent, trackOf } from "./extent.js";
import { commandReject } from "./sense.js";

export type LocateOperation =
  | "orient"
  | "write-data"
  | "format-write"
  | "read-data"
  | "read-tracks"
  | "read"
  | "write-any"
  | "read-any"
  | "read-trackset";

export type LocateOrientation = "count" | "home" | "data" | "index";

export interface Locate {
  readonly operation: LocateOperation;
  readonly orientation: LocateOrientation;
  /** The last command of the domain is a read count. */
  readonly countSuffix: boolean;
  readonly count: number;
  readonly track: number;
  readonly search: { readonly address: TrackAddress; readonly record: number };
  /** Bytes of each write; from the extent where the program does not say. */
  readonly transferLength: number;
  /** For a track set: the tracks to read, in order. */
  readonly tracks: readonly number[];
}

const orientations = ["count", "home", "data", "index"] as const;
const operations: Readonly<Record<number, LocateOperation>> = {
  0: "orient",
  1: "write-data",
  3: "format-write",
  6: "read-data",
  12: "read-tracks",
  22: "read",
};
const extendedOperations: Readonly<Record<number, LocateOperation>> = {
  9: "write-any",
  10: "read-any",
  14: "read-trackset",
};
const extendedCode = 0x3f;

/** Which orientations an operation has. */
const combinations: Readonly<Record<LocateOperation, readonly LocateOrientation[]>> = {
  orient: ["count", "home", "data", "index"],
  "write-data": ["count", "data"],
  "format-write": ["count", "home", "index"],
  "read-data": ["count", "home", "data", "index"],
  "read-tracks": ["count", "home"],
  read: ["count", "home", "data", "index"],
  "write-any": ["count"],
  "read-any": ["count"],
  "read-trackset": ["count", "home"],
};

export const locateSize = 16;
export const extendedLocateSize = 20;
const sectors = 224;

export interface LocateForm {
  readonly extended: boolean;
}

/** How many bytes follow the first twenty of an extended locate record. */
export const extendedParameters = (bytes: Uint8Array): number => ((bytes[18] ?? 0) << 8) | (bytes[19] ?? 0);

/**
 * @param bytes 16, or for the extended form 20 and its parameters
 * @throws UnitCheck command reject, file protected
 */
export function parseLocate(bytes: Uint8Array, form: LocateForm, extent: Extent, geometry: Geometry): Locate {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const invalid = () => commandReject("invalidParameter");
  const operation = operationOf(view, form);
  const orientation = orientations[view.getUint8(0) >> 6] as LocateOrientation;
  if (operation === undefined || !combinations[operation].includes(orientation)) throw invalid();
  const auxiliary = view.getUint8(1);
  const countSuffix = (auxiliary & 0x01) !== 0;
  const suffixAllowed = ["write-data", "read", "write-any", "read-any"].includes(operation);
  if ((auxiliary & 0x7e) !== 0 || (countSuffix && !suffixAllowed) || view.getUint8(2) !== 0) throw invalid();
  const count = view.getUint8(3);
  if ((count === 0) !== (operation === "orient") || (countSuffix && count < 2)) throw invalid();
  const track = trackOf(geometry, { cylinder: view.getUint16(4), head: view.getUint16(6) });
  if (track === undefined) throw invalid();
  checkExtent(extent, track);
  const sector = view.getUint8(13);
  if (sector !== 0xff && sector >= sectors) throw invalid();
  const length = view.getUint16(14);
  if ((auxiliary & 0x80) !== 0 ? length === 0 || length > extent.blockSize : length !== 0) throw invalid();
  const tracks = operation === "read-trackset" ? trackSet(bytes, track, count) : [];
  for (const each of tracks) checkExtent(extent, each);
  return {
    operation,
    orientation,
    countSuffix,
    count,
    track,
    search: {
      address: { cylinder: view.getUint16(8), head: view.getUint16(10) },
      record: view.getUint8(12),
    },
    transferLength: length === 0 ? extent.blockSize : length,
    tracks,
  };
}

function operationOf(view: DataView, { extended }: LocateForm): LocateOperation | undefined {
  const code = view.getUint8(0) & 0x3f;
  if (!extended) return operations[code];
  const parameters = view.getUint16(18);
  const extendedOperation = view.getUint8(17);
  if (code !== extendedCode)
    return extendedOperation === 0 && parameters === 0 && code !== 0 && code !== 6
      ? operations[code]
      : undefined;
  const found = extendedOperations[extendedOperation];
  if (found === "read-trackset") return parameters === 1 || parameters === 2 ? found : undefined;
  return parameters === 1 && view.getUint8(20) === 1 ? found : undefined;
}

/** One bit a track; the first is the one that the seek address names. */
function trackSet(bytes: Uint8Array, first: number, count: number): number[] {
  const tracks: number[] = [];
  for (const [index, byte] of bytes.subarray(extendedLocateSize).entries())
    for (let bit = 0; bit < 8; bit += 1)
      if ((byte & (0x80 >> bit)) !== 0) tracks.push(first + index * 8 + bit);
  if (tracks[0] !== first || tracks.length !== count) throw commandReject("invalidParameter");
  return tracks;
}
