/**
 * The list of free space as an image keeps it while nobody has it open: eight letters, then position and length of each gap. It stands
 * in a gap that has room for it, else behind everything. It is written for others to use; who opens an image here finds the gaps
 * from the tables.
 */
import type { Extent, FreeSpace } from "./free-space.js";

const letters = "FREE_BLK";
const entrySize = 8;

export interface FreeList {
  /** Where it goes, in the file; 0 for none. */
  readonly position: number;
  readonly bytes: Uint8Array;
  /** What the file's length is to be. */
  readonly fileLength: number;
}

export function freeList(space: FreeSpace, littleEndian: boolean, limit: number): FreeList | undefined {
  const { extents, end } = space;
  if (extents.length === 0) return { position: 0, bytes: new Uint8Array(0), fileLength: end };
  const bytes = encode(extents, littleEndian);
  const room = extents.find(({ length }) => length >= bytes.length);
  if (room !== undefined) return { position: room.position, bytes, fileLength: end };
  if (end + bytes.length > limit) return undefined;
  return { position: end, bytes, fileLength: end + bytes.length };
}

function encode(extents: readonly Extent[], littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array((extents.length + 1) * entrySize);
  bytes.set(Buffer.from(letters, "latin1"));
  const view = new DataView(bytes.buffer);
  for (const [index, { position, length }] of extents.entries()) {
    view.setUint32((index + 1) * entrySize, position, littleEndian);
    view.setUint32((index + 1) * entrySize + 4, length, littleEndian);
  }
  return bytes;
}
