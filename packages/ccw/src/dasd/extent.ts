/** What a channel program may touch: a range of tracks and a file mask, by define extent or set file mask. */
import type { Geometry, TrackAddress } from "../image/geometry.js";
import { commandReject, fileProtected } from "./sense.js";

export type WriteControl = "no-home-address" | "none" | "no-format" | "all";
export type SeekControl = "all" | "cylinder-and-head" | "head" | "none";

const writeControls = ["no-home-address", "none", "no-format", "all"] as const;
const seekControls = ["all", "cylinder-and-head", "head", "none"] as const;

export interface FileMask {
  readonly byte: number;
  readonly write: WriteControl;
  readonly seek: SeekControl;
  readonly authority: "normal" | "device-support" | "diagnostic";
}

const reservedMaskBit = 0x20;

/** @throws UnitCheck command reject, invalid parameter */
export function fileMask(byte: number): FileMask {
  const authority = (["normal", "device-support", "diagnostic", undefined] as const)[(byte >> 1) & 3];
  if ((byte & reservedMaskBit) !== 0 || authority === undefined) throw commandReject("invalidParameter");
  return {
    byte,
    write: writeControls[(byte >> 6) & 3] as WriteControl,
    seek: seekControls[(byte >> 3) & 3] as SeekControl,
    authority,
  };
}

export interface Extent {
  readonly mask: FileMask;
  /** Track numbers, both included. */
  readonly first: number;
  readonly last: number;
  /** The longest transfer that locate record may name, in bytes. */
  readonly blockSize: number;
}

/** Longest data of a record zero alone on a track of a 3390, and its count: the biggest block there can be. */
export const largestBlock = 57326 + 8;

export const wholeDisk = (geometry: Geometry): Extent => ({
  mask: fileMask(0),
  first: 0,
  last: geometry.tracks - 1,
  blockSize: 0,
});

export const defineExtentSize = 16;

/** @throws UnitCheck command reject */
export function parseExtent(bytes: Uint8Array, geometry: Geometry): Extent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mask = fileMask(view.getUint8(0));
  // Attributes: bits 0 and 1 say extended count-key-data.
  if ((view.getUint8(1) & 0xc0) !== 0xc0) throw commandReject("invalidParameter");
  const blockSize = view.getUint16(2) || largestBlock;
  if (blockSize > largestBlock || view.getUint16(4) !== 0 || view.getUint8(6) !== 0)
    throw commandReject("invalidParameter");
  const first = trackOf(geometry, { cylinder: view.getUint16(8), head: view.getUint16(10) });
  const last = trackOf(geometry, { cylinder: view.getUint16(12), head: view.getUint16(14) });
  if (first === undefined || last === undefined || first > last) throw commandReject("invalidParameter");
  return { mask, first, last, blockSize };
}

export function trackOf(geometry: Geometry, { cylinder, head }: TrackAddress): number | undefined {
  return cylinder < geometry.cylinders && head < geometry.heads
    ? cylinder * geometry.heads + head
    : undefined;
}

/** @throws UnitCheck file protected */
export function checkExtent(extent: Extent, track: number): void {
  if (track < extent.first || track > extent.last) throw fileProtected();
}

export type WriteKind = "update" | "format" | "home-address";

/** @throws UnitCheck file protected, or command reject where the mask's authority is missing */
export function checkMask({ mask }: Extent, kind: WriteKind): void {
  const allowed =
    mask.write === "all" ||
    (mask.write === "no-home-address" && kind !== "home-address") ||
    (mask.write === "no-format" && kind === "update");
  if (!allowed) throw fileProtected();
}
