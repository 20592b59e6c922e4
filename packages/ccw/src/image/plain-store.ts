/** The tracks of an uncompressed image, each at its place; overwritten by way of the journal. */
import { ImageError, isImageError } from "./error.js";
import type { Geometry } from "./geometry.js";
import { type DeviceHeader, headerSize } from "./header.js";
import type { Access, ImageDisk, ImageFile } from "./image-file.js";
import { Journal, type JournalEntry, readJournal } from "./journal.js";
import { openPlainFiles, type PlainFile } from "./plain-files.js";
import { freshStamp, readStamp, type Stamp, writeStamp } from "./stamp.js";
import type { ImageFormat, SpaceUse, StoredTrack, TrackStore } from "./track-store.js";

/** How often a reader looks again because a writer beside it went on meanwhile: each time takes a flush of that writer. */
const mostLooks = 64;

interface Found {
  readonly stamp: Stamp | undefined;
  readonly journal: JournalEntry | "nothing" | undefined;
}

export class PlainStore implements TrackStore {
  readonly geometry: Geometry;
  readonly format: ImageFormat;
  readonly #disk: ImageDisk;
  readonly #files: readonly PlainFile[];
  readonly #access: Access;
  /** Where the first file really is, and the journal beside it. */
  readonly #home: string;
  /** What the journal holds and the image not yet: read-only, or because putting it in failed. */
  #pending: JournalEntry | undefined;
  #stamp: Stamp | undefined;
  #journal: Journal | undefined;
  #state: "open" | "closed" = "open";

  private constructor(
    disk: ImageDisk,
    files: readonly PlainFile[],
    geometry: Geometry,
    access: Access,
    home: string,
    stamp: Stamp | undefined,
    pending: JournalEntry | undefined,
  ) {
    this.#disk = disk;
    this.#files = files;
    this.geometry = geometry;
    this.#access = access;
    this.#home = home;
    this.#stamp = stamp;
    this.#pending = pending;
    this.format = {
      kind: "plain",
      files: files.map(({ file }) => file.path),
      compression: "none",
      state: pending === undefined ? "closed" : "journal-pending",
    };
  }

  /** Owns the file from here on, unless it throws. @throws ImageError */
  static async open(
    disk: ImageDisk,
    first: ImageFile,
    device: DeviceHeader,
    access: Access,
  ): Promise<PlainStore> {
    const { files, geometry } = await openPlainFiles(disk, first, device, access);
    try {
      const home = await disk.canonical(first.path);
      const { stamp, journal } = await find(disk, first, access, home);
      const pending = journal === "nothing" ? undefined : journal;
      const store = new PlainStore(disk, files, geometry, access, home, stamp, pending);
      if (access === "read-write" && journal !== undefined) await store.#adoptJournal();
      return store;
    } catch (error) {
      for (const { file } of files) if (file !== first) await file.close();
      throw error;
    }
  }

  async read(track: number, count: number): Promise<readonly [StoredTrack, ...StoredTrack[]]> {
    this.#usable();
    const { file, firstTrack, tracks } = this.#fileOf(track);
    const pending = this.#pending?.tracks.get(track);
    if (pending !== undefined) return [{ bytes: pending, file: file.path, offset: undefined }];
    const most = Math.min(count, firstTrack + tracks - track);
    let together = 1;
    while (together < most && this.#pending?.tracks.has(track + together) !== true) together += 1;
    const { trackSize } = this.geometry;
    const position = this.#place(track).position;
    const [first, ...more] = await file.readEach(position, trackSize, together);
    const stored = (bytes: Uint8Array, index: number): StoredTrack => ({
      bytes,
      file: file.path,
      offset: position + index * trackSize,
    });
    return [stored(first, 0), ...more.map((bytes, index) => stored(bytes, index + 1))];
  }

  async write(tracks: ReadonlyMap<number, Uint8Array>): Promise<void> {
    this.#usable();
    if (this.#access === "read-only")
      throw new ImageError("image-read-only", { file: this.#first }, "it was opened read-only");
    if (tracks.size === 0) return;
    // A journal that could not be put in before would be lost by writing a new one over it.
    await this.#recover();
    this.#journal ??= await Journal.open(this.#disk, this.#home);
    const entry = { tracks: new Map(tracks), before: await this.#stamped(), after: freshStamp(this.#disk) };
    await this.#journal.record(entry);
    this.#pending = entry;
    await this.#recover();
  }

  async space(): Promise<SpaceUse> {
    let fileBytes = 0;
    for (const { file } of this.#files) fileBytes += await file.size();
    return {
      fileBytes,
      storedTracks: this.geometry.tracks,
      usedBytes: fileBytes,
      freeBytes: 0,
      freeExtents: 0,
      largestFree: 0,
    };
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    try {
      await this.#journal?.close(this.#pending === undefined ? "remove" : "keep");
    } finally {
      for (const { file } of this.#files) await file.close();
    }
  }

  get #first(): string {
    return (this.#files[0] as PlainFile).file.path;
  }

  #usable(): void {
    if (this.#state === "closed")
      throw new ImageError("image-closed", { file: this.#first }, "it was closed");
  }

  #fileOf(track: number): PlainFile {
    const found = this.#files.find(
      ({ firstTrack, tracks }) => track >= firstTrack && track < firstTrack + tracks,
    );
    if (found !== undefined) return found;
    throw new ImageError(
      "image-geometry",
      { file: this.#first },
      `track ${track}; there are ${this.geometry.tracks}`,
    );
  }

  #place(track: number): { readonly file: ImageFile; readonly position: number } {
    const { file, firstTrack } = this.#fileOf(track);
    return { file, position: headerSize + (track - firstTrack) * this.geometry.trackSize };
  }

  /** One that a writer left behind: its close removes it. */
  async #adoptJournal(): Promise<void> {
    this.#journal = await Journal.open(this.#disk, this.#home);
    await this.#recover();
  }

  /** An image that was never written here has no stamp yet, so that no journal could be told to be its own. */
  async #stamped(): Promise<Stamp> {
    if (this.#stamp === undefined) {
      const stamp = freshStamp(this.#disk);
      const { file } = this.#files[0] as PlainFile;
      await writeStamp(file, stamp);
      await file.sync();
      this.#stamp = stamp;
    }
    return this.#stamp;
  }

  /** Puts what the journal holds into the image. Can be done any number of times. */
  async #recover(): Promise<void> {
    if (this.#pending === undefined) return;
    const { tracks, after } = this.#pending;
    for (const [track, bytes] of tracks) {
      if (track >= this.geometry.tracks || bytes.length > this.geometry.trackSize)
        throw new ImageError(
          "image-journal",
          { file: this.#first },
          `its journal has track ${track} of ${bytes.length} bytes`,
        );
    }
    const { file: first } = this.#files[0] as PlainFile;
    const touched = new Set([first]);
    await writeStamp(first, after);
    for (const [track, bytes] of tracks) {
      const { file, position } = this.#place(track);
      await file.write(position, bytes);
      touched.add(file);
    }
    for (const file of touched) await file.sync();
    this.#stamp = after;
    this.#journal ??= await Journal.open(this.#disk, this.#home);
    await this.#journal.clear();
    this.#pending = undefined;
  }
}

/** The journal, and the stamp by which it is known: both of one moment, also beside a writer. @throws ImageError */
async function find(disk: ImageDisk, first: ImageFile, access: Access, home: string): Promise<Found> {
  for (let looks = 1; ; looks += 1) {
    const stamp = await readStamp(first);
    try {
      return { stamp, journal: await readJournal(disk, home, stamp) };
    } catch (error) {
      // Who writes has the image alone.
      if (access === "read-write" || looks === mostLooks) throw error;
      const cleared = isImageError(error, "image-truncated");
      const replaced = isImageError(error, "image-journal") && (await readStamp(first)) !== stamp;
      if (!cleared && !replaced) throw error;
    }
  }
}
