/**
 * A disk image as a disk: tracks of records, kept in memory once read, written back together. Calls may overlap; what touches the files
 * goes one after another.
 */

import type { Answer } from "../storage/answer.js";
import { CompressedStore } from "./compressed-store.js";
import { ImageError, isImageError } from "./error.js";
import { type Geometry, trackAddress } from "./geometry.js";
import { readHeader } from "./header.js";
import { type Access, HostDisk, type ImageDisk } from "./image-file.js";
import type { ImageLock } from "./lock.js";
import { PlainStore } from "./plain-store.js";
import { decodeTrack, encodeTrack, type Track, trackBytes } from "./track.js";
import type { ImageFormat, SpaceUse, StoredTrack, TrackStore } from "./track-store.js";

export interface OpenImageOptions {
  readonly access: Access;
  /** Where files are; default: this machine's file system. */
  readonly disk?: ImageDisk;
  /** Tracks that are kept in memory besides those not written yet; default 64, which is at most 3.6 MB. */
  readonly cachedTracks?: number;
  /** So many changed tracks are written without waiting for a flush; default 256. */
  readonly changedTracks?: number;
}

/** Tracks that are read from a file at once. */
const mostAtOnce = 8;

export class DiskImage {
  readonly path: string;
  readonly access: Access;
  readonly #store: TrackStore;
  readonly #lock: ImageLock | undefined;
  readonly #cachedTracks: number;
  readonly #changedTracks: number;
  /** In the order of their last use. */
  readonly #clean = new Map<number, Track>();
  readonly #changed = new Map<number, Track>();
  /** Settles when the store is free for the next. */
  #turn: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(
    path: string,
    store: TrackStore,
    lock: ImageLock | undefined,
    options: OpenImageOptions,
  ) {
    this.path = path;
    this.access = options.access;
    this.#store = store;
    this.#lock = lock;
    this.#cachedTracks = options.cachedTracks ?? 64;
    this.#changedTracks = options.changedTracks ?? 256;
  }

  /**
   * Opening for writing finishes what a writer that died had made durable in its journal; opening read-only changes nothing.
   * @throws ImageError with the file, and the offset of what is wrong in it
   */
  static async open(path: string, options: OpenImageOptions): Promise<DiskImage> {
    const disk = options.disk ?? new HostDisk();
    const file = await disk.open(path, options.access);
    let lock: ImageLock | undefined;
    try {
      if (options.access === "read-write") lock = await disk.lock(file);
      const device = await readHeader(file);
      const store =
        device.kind === "compressed"
          ? await CompressedStore.open(file, device, options.access)
          : await PlainStore.open(disk, file, device, options.access);
      return new DiskImage(path, store, lock, options);
    } catch (error) {
      await file.close();
      await lock?.release();
      throw error;
    }
  }

  get geometry(): Geometry {
    return this.#store.geometry;
  }

  get format(): ImageFormat {
    return this.#store.format;
  }

  /** How many tracks a flush would write. */
  get changedTracks(): number {
    return this.#changed.size;
  }

  /** @throws ImageError image-geometry for a track that the disk has not, and what is wrong with the track */
  async read(track: number): Promise<Track> {
    return this.content(track);
  }

  /**
   * The same, at once if it is in memory.
   * @param ahead so many tracks behind it are likely to be wanted next: those that come with little trouble are kept
   * @throws ImageError as `read`
   */
  content(track: number, ahead = 0): Answer<Track> {
    const there = this.#kept(track);
    if (there === undefined) return this.#fetch(track, ahead);
    if (this.#clean.delete(track)) this.#clean.set(track, there);
    return there;
  }

  /**
   * Replaces a track, in memory; `flush` makes it durable. Where a flush was due and has failed, so many changed tracks are
   * kept as `changedTracks` says, for the next one; what would be one more is not taken.
   * @throws ImageError image-read-only, image-track where the track can't be kept in an image, and those of a flush when that is due
   */
  async write(track: number, content: Track): Promise<void> {
    this.#known(track);
    this.#writable();
    this.#check(track, content);
    const known = this.#changed.has(track);
    this.#clean.delete(track);
    this.#changed.set(track, content);
    if (this.#changed.size < this.#changedTracks) return;
    try {
      await this.flush();
    } catch (error) {
      // Where nothing can be written, what is refused must not pile up in memory.
      const beyond = !known && this.#changed.size > this.#changedTracks;
      if (beyond && this.#changed.get(track) === content) this.#changed.delete(track);
      throw error;
    }
  }

  /**
   * Returns when all that was written before survives a crash. After a failure the changes are still here and can be flushed again.
   * @throws ImageError image-full, image-io
   */
  async flush(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#changed.size === 0) return;
      const flushed = new Map(this.#changed);
      const bytes = new Map<number, Uint8Array>();
      for (const [track, content] of flushed) bytes.set(track, encodeTrack(content));
      await this.#store.write(bytes);
      for (const [track, content] of flushed) {
        if (this.#changed.get(track) !== content) continue;
        this.#changed.delete(track);
        this.#keep(track, content);
      }
    });
  }

  space(): Promise<SpaceUse> {
    return this.#inTurn(async () => this.#store.space());
  }

  /** Flushes and closes. Files are closed and the lock is given back even where that fails. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    try {
      await this.flush();
    } finally {
      try {
        await this.#inTurn(() => this.#store.close());
      } finally {
        await this.#lock?.release();
      }
    }
  }

  #kept(track: number): Track | undefined {
    return this.#changed.get(track) ?? this.#clean.get(track);
  }

  async #fetch(track: number, ahead: number): Promise<Track> {
    this.#known(track);
    return this.#inTurn(async () => {
      const newer = this.#kept(track);
      if (newer !== undefined) return newer;
      const [first, ...more] = await this.#store.read(track, this.#wanted(track, ahead));
      const found = this.#decoded(track, first);
      this.#keep(track, found);
      for (const [index, stored] of more.entries()) this.#keepAhead(track + 1 + index, stored);
      return this.#changed.get(track) ?? found;
    });
  }

  /** How many tracks from this one on are to be read: as many as have room, and up to the first that is there. */
  #wanted(track: number, ahead: number): number {
    const most = Math.min(
      1 + Math.max(0, ahead),
      mostAtOnce,
      this.#cachedTracks,
      this.geometry.tracks - track,
    );
    let count = 1;
    while (count < most && this.#kept(track + count) === undefined) count += 1;
    return count;
  }

  #decoded(track: number, { bytes, file, offset }: StoredTrack): Track {
    return decodeTrack(bytes, this.geometry, track, offset === undefined ? { file } : { file, offset });
  }

  /** One that nobody has asked for yet: whoever does is told what is wrong with it. */
  #keepAhead(track: number, stored: StoredTrack): void {
    // Written meanwhile: what was in the file is old.
    if (this.#kept(track) !== undefined) return;
    try {
      this.#keep(track, this.#decoded(track, stored));
    } catch (error) {
      if (!isImageError(error)) throw error;
    }
  }

  #keep(track: number, content: Track): void {
    this.#clean.set(track, content);
    for (const oldest of this.#clean.keys()) {
      if (this.#clean.size <= this.#cachedTracks) break;
      this.#clean.delete(oldest);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #known(track: number): void {
    const { tracks } = this.geometry;
    if (!(Number.isSafeInteger(track) && track >= 0 && track < tracks))
      throw new ImageError(
        "image-geometry",
        { file: this.path },
        `there is no track ${track}; there are ${tracks}`,
      );
  }

  #writable(): void {
    if (this.access === "read-only")
      throw new ImageError("image-read-only", { file: this.path }, "it was opened read-only");
    if (this.#closing !== undefined)
      throw new ImageError("image-closed", { file: this.path }, "it was closed");
  }

  #check(track: number, { home, records }: Track): void {
    const place = trackAddress(this.geometry, track);
    const wrong = (what: string) =>
      new ImageError("image-track", { file: this.path }, `track ${track}: ${what}`);
    if (home.cylinder !== place.cylinder || home.head !== place.head)
      throw wrong("its home address is of another track");
    if (records[0]?.record !== 0) throw wrong("it does not begin with record zero");
    const size = trackBytes(records);
    if (size > this.geometry.trackSize)
      throw wrong(`${size} bytes, where an image has ${this.geometry.trackSize} for a track`);
    for (const { cylinder, head, record, key, data } of records) {
      if (key.length > 0xff || data.length > 0xffff)
        throw wrong("a key or data field is longer than a count can say");
      // Such a count is the end mark.
      if ((cylinder & head) === 0xffff && record === 0xff && key.length === 0xff && data.length === 0xffff)
        throw wrong("a count of ones can't be kept in an image");
    }
  }
}
