/** What stands behind a disk: its tracks as bytes, and one way to change several of them durably. */
import type { Geometry } from "./geometry.js";

export interface SpaceUse {
  /** Bytes of all files. */
  readonly fileBytes: number;
  /** Tracks that take space in the file. */
  readonly storedTracks: number;
  /** Bytes that hold headers, tables and tracks. */
  readonly usedBytes: number;
  /** Bytes between those, which later tracks can take. */
  readonly freeBytes: number;
  readonly freeExtents: number;
  readonly largestFree: number;
}

export interface TrackStore {
  readonly geometry: Geometry;
  readonly format: ImageFormat;
  /**
   * The bytes of a track up to its end mark or longer, and those of tracks behind it as far as one access has them.
   * @param count of tracks at most: those that follow have to be tracks of the disk @throws ImageError about the first
   */
  read(track: number, count: number): Promise<readonly [StoredTrack, ...StoredTrack[]]>;
  /**
   * Replaces the tracks: when it returns, all are durable; when the process or machine dies before, each track is what it was or
   * what it becomes, and after a failure that is reported here nothing that was durable is lost. One call at a time.
   * @param tracks encoded, each no longer than the geometry's track size
   * @throws ImageError image-full, image-io, image-read-only
   */
  write(tracks: ReadonlyMap<number, Uint8Array>): Promise<void>;
  space(): SpaceUse | Promise<SpaceUse>;
  /** Leaves the files as other programs expect them. Idempotent. @throws ImageError when that fails; files are closed all the same */
  close(): Promise<void>;
}

export interface StoredTrack {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly offset: number | undefined;
}

export interface ImageFormat {
  readonly kind: "plain" | "compressed";
  readonly files: readonly string[];
  /** How new tracks of a compressed image are packed. */
  readonly compression: "none" | "zlib" | "bzip2";
  /** What the state of the files says of who wrote last. */
  readonly state: "closed" | "not-closed" | "journal-pending";
}
