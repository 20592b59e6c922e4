/**
 * The tracks of a compressed image. A write goes to free space: first the tracks and copies of the level-2 tables that point to them,
 * then, once those are durable, the level-1 entries, four aligned bytes each. Only when those are durable too is what they pointed to
 * before free. So at every moment the file holds a whole old or a whole new version of each track, and no journal is needed.
 * While it is written its header says `opened`: the list of free space is stale then, for Hercules as for us.
 */
import {
  type CompressedHeader,
  compressedHeaderPosition,
  imageOptions,
  levelOneEntrySize,
  levelOnePosition,
  levelTwoEntries,
  levelTwoSize,
  readCompressedHeader,
  withSpace,
} from "./compressed-header.js";
import {
  encodeLevelTwo,
  type LevelTwo,
  readTables,
  type Tables,
  type TrackEntry,
} from "./compressed-tables.js";
import { ImageError } from "./error.js";
import { freeList } from "./free-list.js";
import type { Extent } from "./free-space.js";
import { type Geometry, geometryOf } from "./geometry.js";
import type { DeviceHeader } from "./header.js";
import type { Access, ImageFile } from "./image-file.js";
import { nullFormatOf, nullTrack } from "./null-track.js";
import { encodeTrack } from "./track.js";
import { packTrack, unpackTrack } from "./track-packing.js";
import type { ImageFormat, SpaceUse, StoredTrack, TrackStore } from "./track-store.js";

/** Positions are 32-bit numbers, and all ones is no position. */
const largestFile = 0xffff_ffff;

export class CompressedStore implements TrackStore {
  readonly geometry: Geometry;
  readonly format: ImageFormat;
  readonly #file: ImageFile;
  readonly #access: Access;
  readonly #header: CompressedHeader;
  readonly #tables: Tables;
  /** untouched: not a byte was written. failed: what the file holds is not known any more. */
  #state: "untouched" | "written" | "failed" | "closed" = "untouched";
  #failure: unknown;

  private constructor(
    file: ImageFile,
    access: Access,
    header: CompressedHeader,
    geometry: Geometry,
    tables: Tables,
  ) {
    this.#file = file;
    this.#access = access;
    this.#header = header;
    this.geometry = geometry;
    this.#tables = tables;
    const open = (header.options & imageOptions.opened) !== 0;
    this.format = {
      kind: "compressed",
      files: [file.path],
      compression: header.compression,
      state: open ? "not-closed" : "closed",
    };
  }

  /** Owns the file from here on, unless it throws. @throws ImageError */
  static async open(file: ImageFile, device: DeviceHeader, access: Access): Promise<CompressedStore> {
    if (device.sequence !== 0 || device.highestCylinder !== 0)
      throw new ImageError(
        "image-header",
        { file: file.path, offset: 17 },
        "a compressed image is one file only",
      );
    const header = await readCompressedHeader(file);
    const place = { file: file.path, offset: compressedHeaderPosition + 40 };
    const geometry = geometryOf(place, { ...device, cylinders: header.cylinders });
    return new CompressedStore(file, access, header, geometry, await readTables(file, header, geometry));
  }

  /** One at a time: tracks that follow each other need not do so in the file. */
  async read(track: number): Promise<readonly [StoredTrack]> {
    return [await this.#read(track)];
  }

  async #read(track: number): Promise<StoredTrack> {
    this.#usable();
    const entry = this.#entry(track);
    const file = this.#file.path;
    if (entry.position === 0)
      return {
        bytes: encodeTrack(nullTrack(this.geometry, track, this.#nullFormat(entry))),
        file,
        offset: undefined,
      };
    const stored = await this.#file.read(entry.position, entry.length);
    const place = { file, offset: entry.position };
    const bytes = unpackTrack(stored, this.geometry.trackSize, place);
    // A place inside packed bytes would mean nothing to whoever looks into the file.
    return { bytes, file, offset: stored[0] === 0 ? entry.position : undefined };
  }

  async write(tracks: ReadonlyMap<number, Uint8Array>): Promise<void> {
    this.#usable();
    if (this.#access === "read-only")
      throw new ImageError("image-read-only", { file: this.#file.path }, "it was opened read-only");
    if (tracks.size === 0) return;
    await this.#markOpened();
    const taken: Extent[] = [];
    const changed = new Map<number, LevelTwo | undefined>();
    try {
      await this.#writeTracks(tracks, changed, taken);
      await this.#file.sync();
    } catch (error) {
      // Nothing points to what was written.
      for (const extent of taken) this.#tables.space.give(extent);
      throw error;
    }
    try {
      for (const [index, table] of changed) await this.#writeLevelOne(index, table?.position ?? 0);
      await this.#file.sync();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#adopt(changed);
  }

  space(): SpaceUse {
    const { space } = this.#tables;
    const use = this.#use();
    return {
      fileBytes: space.end,
      storedTracks: use.tracks,
      usedBytes: use.used,
      freeBytes: space.total + use.embedded,
      freeExtents: space.extents.length,
      largestFree: space.largest,
    };
  }

  async close(): Promise<void> {
    const state = this.#state;
    if (state === "closed") return;
    this.#state = "closed";
    try {
      if (state === "written") await this.#writeClosed();
    } finally {
      await this.#file.close();
    }
  }

  #usable(): void {
    if (this.#state === "closed")
      throw new ImageError("image-closed", { file: this.#file.path }, "it was closed");
    if (this.#state === "failed")
      throw new ImageError(
        "image-io",
        { file: this.#file.path },
        "an earlier write failed halfway, so what it holds is not known; open it again",
        { cause: this.#failure },
      );
  }

  #fail(error: unknown): void {
    this.#state = "failed";
    this.#failure = error;
  }

  #entry(track: number): TrackEntry {
    const table = this.#tables.levelTwo[Math.floor(track / levelTwoEntries)];
    return table?.entries[track % levelTwoEntries] ?? this.#emptyEntry();
  }

  #emptyEntry(): TrackEntry {
    const { nullFormat } = this.#header;
    return { position: 0, length: nullFormat, size: nullFormat };
  }

  /** An image of Linux tracks means those wherever an entry says nothing else; so does Hercules. */
  #nullFormat({ length }: TrackEntry): 0 | 1 | 2 {
    const own = this.#header.nullFormat;
    if (length === 1 || length === 2) return length;
    return own === 2 || length !== 0 ? own : 0;
  }

  async #markOpened(): Promise<void> {
    if (this.#state !== "untouched") return;
    const options = this.#header.options | imageOptions.opened | imageOptions.writtenSinceCheck;
    await this.#file.write(compressedHeaderPosition + 3, Uint8Array.of(options));
    await this.#file.sync();
    this.#state = "written";
  }

  /** Collects in `taken` what it took of the free space, in `changed` the tables that are to be pointed to. */
  async #writeTracks(
    tracks: ReadonlyMap<number, Uint8Array>,
    changed: Map<number, LevelTwo | undefined>,
    taken: Extent[],
  ): Promise<void> {
    const updates = new Map<number, TrackEntry[]>();
    for (const [track, bytes] of tracks) {
      const index = Math.floor(track / levelTwoEntries);
      let entries = updates.get(index);
      if (entries === undefined) {
        const table = this.#tables.levelTwo[index];
        entries = table === undefined ? this.#emptyEntries() : [...table.entries];
        updates.set(index, entries);
      }
      entries[track % levelTwoEntries] = await this.#writeTrack(track, bytes, taken);
    }
    for (const [index, entries] of updates) {
      const empty = entries.every(
        ({ position, length }) => position === 0 && length === this.#header.nullFormat,
      );
      if (empty) {
        changed.set(index, undefined);
        continue;
      }
      const { position } = this.#take(levelTwoSize, "exact", taken);
      await this.#file.write(position, encodeLevelTwo(entries, this.#header.littleEndian));
      changed.set(index, { position, entries });
    }
  }

  async #writeTrack(track: number, bytes: Uint8Array, taken: Extent[]): Promise<TrackEntry> {
    const empty = nullFormatOf(bytes, this.geometry, track);
    // An entry of kind 0 reads as kind 2 where that is the image's own.
    if (empty !== undefined && !(empty === 0 && this.#header.nullFormat === 2))
      return { position: 0, length: empty, size: empty };
    const packed = await packTrack(bytes, this.#header.compression);
    const grant = this.#take(packed.length, "with-remainder", taken);
    await this.#file.write(grant.position, packed);
    return { position: grant.position, length: packed.length, size: grant.length };
  }

  #emptyEntries(): TrackEntry[] {
    return Array.from({ length: levelTwoEntries }, () => this.#emptyEntry());
  }

  #take(length: number, slack: "exact" | "with-remainder", taken: Extent[]): Extent {
    const grant = this.#tables.space.take(length, slack, largestFile);
    if (grant === undefined)
      throw new ImageError(
        "image-full",
        { file: this.#file.path },
        `${length} more bytes would make it bigger than 4 GiB, which a compressed image can't be`,
      );
    taken.push(grant);
    return grant;
  }

  async #writeLevelOne(index: number, position: number): Promise<void> {
    const bytes = new Uint8Array(levelOneEntrySize);
    new DataView(bytes.buffer).setUint32(0, position, this.#header.littleEndian);
    await this.#file.write(levelOnePosition + index * levelOneEntrySize, bytes);
  }

  /** The new tables are durable: what only the old ones point to is free. */
  #adopt(changed: ReadonlyMap<number, LevelTwo | undefined>): void {
    const { levelTwo, space } = this.#tables;
    for (const [index, table] of changed) {
      const old = levelTwo[index];
      levelTwo[index] = table;
      if (old === undefined) continue;
      space.give({ position: old.position, length: levelTwoSize });
      for (const [slot, entry] of old.entries.entries())
        if (entry.position !== 0 && entry.position !== table?.entries[slot]?.position)
          space.give({ position: entry.position, length: entry.size });
    }
  }

  #use(): { readonly used: number; readonly embedded: number; readonly tracks: number } {
    let used = levelOnePosition + this.#header.levelOneEntries * levelOneEntrySize;
    let embedded = 0;
    let tracks = 0;
    for (const table of this.#tables.levelTwo) {
      if (table === undefined) continue;
      used += levelTwoSize;
      for (const { position, length, size } of table.entries) {
        if (position === 0) continue;
        used += length;
        embedded += size - length;
        tracks += 1;
      }
    }
    return { used, embedded, tracks };
  }

  /** The list of free space and a header that vouches for it, in this order. */
  async #writeClosed(): Promise<void> {
    const { space } = this.#tables;
    const { used, embedded } = this.#use();
    const list = freeList(space, this.#header.littleEndian, largestFile);
    // Without room for a list the file stays `opened`: whoever opens it next finds the gaps from the tables.
    if (list === undefined) return;
    if (list.position !== 0) await this.#file.write(list.position, list.bytes);
    await this.#file.truncate(list.fileLength);
    await this.#file.sync();
    const header = withSpace(this.#header, {
      options:
        (this.#header.options | imageOptions.writtenSinceCheck) &
        ~(imageOptions.opened | imageOptions.spaceErrors),
      size: space.end,
      used,
      freePosition: list.position,
      freeTotal: space.total + embedded,
      freeLargest: space.largest,
      freeNumber: space.extents.length,
      freeEmbedded: embedded,
    });
    await this.#file.write(compressedHeaderPosition, header);
    await this.#file.sync();
  }
}
