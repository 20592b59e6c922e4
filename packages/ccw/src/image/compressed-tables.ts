/**
 * The tables of a compressed image: level 1 says where the level-2 table of each 256 tracks is, level 2 where each track is. Read
 * whole and checked when an image is opened: every byte of the file belongs to one owner at most, so that no write can harm what
 * another entry points to.
 */
import {
  type CompressedHeader,
  compressedHeaderPosition,
  levelOneEntrySize,
  levelOnePosition,
  levelTwoEntries,
  levelTwoEntrySize,
  levelTwoSize,
} from "./compressed-header.js";
import { ImageError } from "./error.js";
import { type Extent, FreeSpace } from "./free-space.js";
import type { Geometry } from "./geometry.js";
import type { ImageFile } from "./image-file.js";
import { homeAddressSize } from "./track.js";

export interface TrackEntry {
  /** 0 where the track is an empty one; then `length` is its kind. */
  readonly position: number;
  readonly length: number;
  /** What the track may grow to where it is; at least `length`. */
  readonly size: number;
}

export interface LevelTwo {
  readonly position: number;
  readonly entries: readonly TrackEntry[];
}

export interface Tables {
  /** Undefined: 256 empty tracks of the image's kind. */
  readonly levelTwo: (LevelTwo | undefined)[];
  readonly space: FreeSpace;
}

const onesWord = 0xffff_ffff;

/** @throws ImageError image-header, image-table, image-truncated */
export async function readTables(
  file: ImageFile,
  header: CompressedHeader,
  geometry: Geometry,
): Promise<Tables> {
  const size = await file.size();
  const count = header.levelOneEntries;
  const needed = Math.ceil(geometry.tracks / levelTwoEntries);
  if (count !== needed && count !== needed + 1)
    throw new ImageError(
      "image-header",
      { file: file.path, offset: compressedHeaderPosition + 4 },
      `a level-1 table of ${count} entries, where ${geometry.tracks} tracks need ${needed}`,
    );
  const first = levelOnePosition + count * levelOneEntrySize;
  const one = viewOf(await file.read(levelOnePosition, count * levelOneEntrySize));
  const owners: Owner[] = [];
  const levelTwo: (LevelTwo | undefined)[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = levelOnePosition + index * levelOneEntrySize;
    const position = one.getUint32(index * levelOneEntrySize, header.littleEndian);
    if (position === 0) {
      levelTwo.push(undefined);
      continue;
    }
    if (position === onesWord)
      throw new ImageError(
        "image-shadow",
        { file: file.path, offset: at },
        "this entry refers to the image under a shadow file",
      );
    const owner: Owner = { position, length: levelTwoSize, entry: at, name: `level-2 table ${index}` };
    checkPlace(file, owner, first, size);
    owners.push(owner);
    const table = await readLevelTwo(file, header, geometry, index, position);
    for (const [slot, entry] of table.entries.entries()) {
      if (entry.position === 0) continue;
      const track = index * levelTwoEntries + slot;
      const trackOwner: Owner = {
        position: entry.position,
        length: entry.size,
        entry: position + slot * levelTwoEntrySize,
        name: `track ${track}`,
      };
      checkPlace(file, trackOwner, first, size);
      owners.push(trackOwner);
    }
    levelTwo.push(table);
  }
  return { levelTwo, space: freeBetween(file, owners, first) };
}

interface Owner extends Extent {
  /** Where in the file the entry stands that says so. */
  readonly entry: number;
  readonly name: string;
}

function checkPlace(file: ImageFile, owner: Owner, first: number, size: number): void {
  const { position, length, entry, name } = owner;
  if (position >= first && position + length <= size) return;
  throw new ImageError(
    "image-table",
    { file: file.path, offset: entry },
    `${name} would lie at ${position} with ${length} bytes; there is room from ${first} to ${size}`,
  );
}

async function readLevelTwo(
  file: ImageFile,
  header: CompressedHeader,
  geometry: Geometry,
  index: number,
  position: number,
): Promise<LevelTwo> {
  const view = viewOf(await file.read(position, levelTwoSize));
  const little = header.littleEndian;
  const entries: TrackEntry[] = [];
  for (let slot = 0; slot < levelTwoEntries; slot += 1) {
    const at = slot * levelTwoEntrySize;
    const entry = {
      position: view.getUint32(at, little),
      length: view.getUint16(at + 4, little),
      size: view.getUint16(at + 6, little),
    };
    const track = index * levelTwoEntries + slot;
    const wrong = (what: string) =>
      new ImageError("image-table", { file: file.path, offset: position + at }, `track ${track}: ${what}`);
    if (entry.position === onesWord) throw wrong("its entry refers to the image under a shadow file");
    if (entry.position !== 0) {
      if (track >= geometry.tracks) throw wrong(`the disk has ${geometry.tracks} tracks`);
      if (entry.length <= homeAddressSize || entry.length > entry.size || entry.length > geometry.trackSize)
        throw wrong(
          `${entry.length} bytes of ${entry.size}, where a track has from 6 to ${geometry.trackSize}`,
        );
    }
    entries.push(entry);
  }
  return { position, entries };
}

function freeBetween(file: ImageFile, owners: Owner[], first: number): FreeSpace {
  owners.sort((one, other) => one.position - other.position);
  const gaps: Extent[] = [];
  let end = first;
  let before: Owner | undefined;
  for (const owner of owners) {
    if (owner.position < end)
      throw new ImageError(
        "image-table",
        { file: file.path, offset: owner.entry },
        `${owner.name} at ${owner.position} overlaps ${before?.name ?? "the level-1 table"}, which ends at ${end}`,
      );
    if (owner.position > end) gaps.push({ position: end, length: owner.position - end });
    end = owner.position + owner.length;
    before = owner;
  }
  return new FreeSpace(gaps, end);
}

export function encodeLevelTwo(entries: readonly TrackEntry[], littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(levelTwoSize);
  const view = viewOf(bytes);
  for (const [slot, { position, length, size }] of entries.entries()) {
    const at = slot * levelTwoEntrySize;
    view.setUint32(at, position, littleEndian);
    view.setUint16(at + 4, length, littleEndian);
    view.setUint16(at + 6, size, littleEndian);
  }
  return bytes;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
