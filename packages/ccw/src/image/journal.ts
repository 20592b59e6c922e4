/**
 * The journal of an uncompressed image, a file beside it. Tracks lie at fixed places there, so they are overwritten; first they are
 * written here and made durable. A journal that is whole is put into the image by whoever opens it next; one that is not was
 * never begun in the image and counts for nothing.
 *
 * Layout, little-endian: letters (8), CRC of all that follows (4), number of tracks (4), bytes of all (4), the image's stamp before and
 * after (16 each), then for each track its number (4), length (4) and bytes.
 */
import { crc32 } from "node:zlib";
import { ImageError } from "./error.js";
import type { ImageDisk, ImageFile } from "./image-file.js";
import type { ImageLock } from "./lock.js";
import { type Stamp, stampSize } from "./stamp.js";

const letters = "PHJOURN2";
const prefixSize = 8 + 4;
const stampsAt = prefixSize + 4 + 4;
const fixedSize = stampsAt + 2 * stampSize;
/** Bigger than any journal that is written here: one flush of a full cache. */
const largestJournal = 1 << 30;

/** Memory of that many bytes is kept from one record for the next. */
const largestKept = 1 << 20;

export const journalPath = (image: string): string => `${image}.journal`;

/** What one flush changes. */
export interface JournalEntry {
  readonly tracks: ReadonlyMap<number, Uint8Array>;
  /** The image's stamps: of the content that it applies to, and of what that becomes. */
  readonly before: Stamp;
  readonly after: Stamp;
}

/**
 * @param stamp of the image as it is
 * @returns undefined: there is no journal; "nothing": it counts for nothing
 * @throws ImageError image-journal where it is whole, and of another image or of another state of this one
 */
export async function readJournal(
  disk: ImageDisk,
  image: string,
  stamp: Stamp | undefined,
): Promise<JournalEntry | "nothing" | undefined> {
  const path = journalPath(image);
  const file = await disk.openIfThere(path, "read-only");
  if (file === undefined) return undefined;
  try {
    const size = await file.size();
    if (size < fixedSize || size > largestJournal) return "nothing";
    return decode(await file.read(0, size), path, stamp);
  } finally {
    await file.close();
  }
}

function decode(bytes: Uint8Array, path: string, stamp: Stamp | undefined): JournalEntry | "nothing" {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (Buffer.from(bytes.subarray(0, 8)).toString("latin1") !== letters) return "nothing";
  const count = view.getUint32(prefixSize, true);
  const length = view.getUint32(prefixSize + 4, true);
  if (length < fixedSize || length > bytes.length) return "nothing";
  if (crc32(bytes.subarray(prefixSize, length)) !== view.getUint32(8, true)) return "nothing";
  const stampAt = (at: number): Stamp => Buffer.from(bytes.subarray(at, at + stampSize)).toString("hex");
  const before = stampAt(stampsAt);
  const after = stampAt(stampsAt + stampSize);
  if (stamp !== before && stamp !== after)
    throw new ImageError(
      "image-journal",
      { file: path, offset: stampsAt },
      "it holds writes to another image, or to this one as it was at another time; they are not put into it",
    );
  const tracks = new Map<number, Uint8Array>();
  let at = fixedSize;
  for (let index = 0; index < count; index += 1) {
    const size = at + 8 <= length ? view.getUint32(at + 4, true) : Number.POSITIVE_INFINITY;
    if (at + 8 + size > length)
      throw new ImageError(
        "image-journal",
        { file: path, offset: at },
        `it ends before track ${index + 1} of the ${count} that it says it has`,
      );
    const track = view.getUint32(at, true);
    tracks.set(track, bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return { tracks, before, after };
}

export class Journal {
  readonly #file: ImageFile;
  readonly #disk: ImageDisk;
  readonly #lock: ImageLock;
  /** For the next record. */
  #room = new Uint8Array();

  private constructor(disk: ImageDisk, file: ImageFile, lock: ImageLock) {
    this.#disk = disk;
    this.#file = file;
    this.#lock = lock;
  }

  /**
   * One at a time has it: where another file took the image's place while it was open, there are two that would have the same.
   * @throws ImageError image-locked
   */
  static async open(disk: ImageDisk, image: string): Promise<Journal> {
    const file = await disk.openOrCreate(journalPath(image));
    try {
      return new Journal(disk, file, await disk.lock(file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** When it returns, the tracks are durable here. After a failure the image was not touched. */
  async record(entry: JournalEntry): Promise<void> {
    const length = sizeOf(entry);
    // What is as long as a channel program's writes is not made anew for each of them.
    if (this.#room.length < length) this.#room = new Uint8Array(length);
    const bytes = this.#room.subarray(0, length);
    if (length > largestKept) this.#room = new Uint8Array();
    encode(entry, bytes);
    await this.#file.write(0, bytes);
    await this.#file.sync();
  }

  /** The image has all of it, durably. */
  async clear(): Promise<void> {
    await this.#file.truncate(0);
  }

  /** @param content remove: nothing in it is needed any more */
  async close(content: "keep" | "remove"): Promise<void> {
    try {
      if (content === "remove") await this.#disk.remove(this.#file.path);
    } finally {
      // Once it is closed, another file may be known by what this one is locked by.
      await this.#lock.release();
      await this.#file.close();
    }
  }
}

function sizeOf({ tracks }: JournalEntry): number {
  let length = fixedSize;
  for (const track of tracks.values()) length += 8 + track.length;
  return length;
}

/** @param bytes all of them are written */
function encode({ tracks, before, after }: JournalEntry, bytes: Uint8Array): void {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  bytes.set(Buffer.from(letters, "latin1"));
  view.setUint32(prefixSize, tracks.size, true);
  view.setUint32(prefixSize + 4, length, true);
  bytes.set(Buffer.from(before + after, "hex"), stampsAt);
  let at = fixedSize;
  for (const [track, content] of tracks) {
    view.setUint32(at, track, true);
    view.setUint32(at + 4, content.length, true);
    bytes.set(content, at + 8);
    at += 8 + content.length;
  }
  view.setUint32(8, crc32(bytes.subarray(prefixSize)), true);
}
