/**
 * The journal of an uncompressed image, a file beside it. Tracks lie at fixed places there, so they are overwritten; first they are
 * written here and made durable. A journal that is whole is put into the image by whoever opens it next; one that is not was
 * never begun in the image and counts for nothing.
 *
 * Layout, little-endian: letters (8), CRC of all that follows (4), number of tracks (4), bytes of all (4), the image's
 * identity (4, length, and its letters), then for each track its number (4), length (4) and bytes.
 */
import { crc32 } from "node:zlib";
import { ImageError } from "./error.js";
import type { ImageDisk, ImageFile } from "./image-file.js";

const letters = "PHJOURN1";
const prefixSize = 8 + 4;
const fixedSize = prefixSize + 4 + 4 + 4;
/** Bigger than any journal that is written here: one flush of a full cache. */
const largestJournal = 1 << 30;

export const journalPath = (image: string): string => `${image}.journal`;

/** What the journal beside the image holds; undefined where there is none. @throws ImageError image-journal where it is whole and of another image */
export async function readJournal(
  disk: ImageDisk,
  image: string,
  identity: string,
): Promise<ReadonlyMap<number, Uint8Array> | undefined> {
  const path = journalPath(image);
  const file = await disk.openIfThere(path, "read-only");
  if (file === undefined) return undefined;
  try {
    const size = await file.size();
    if (size < fixedSize || size > largestJournal) return new Map();
    return decode(await file.read(0, size), path, identity);
  } finally {
    await file.close();
  }
}

function decode(bytes: Uint8Array, path: string, identity: string): ReadonlyMap<number, Uint8Array> {
  const tracks = new Map<number, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (Buffer.from(bytes.subarray(0, 8)).toString("latin1") !== letters) return tracks;
  const count = view.getUint32(prefixSize, true);
  const length = view.getUint32(prefixSize + 4, true);
  if (length < fixedSize || length > bytes.length) return tracks;
  if (crc32(bytes.subarray(prefixSize, length)) !== view.getUint32(8, true)) return tracks;
  const nameLength = view.getUint32(prefixSize + 8, true);
  const owner = Buffer.from(bytes.subarray(fixedSize, fixedSize + nameLength)).toString("utf8");
  if (owner !== identity)
    throw new ImageError(
      "image-journal",
      { file: path, offset: fixedSize },
      "it holds writes that another file at this name was to get; they are not put into this one",
    );
  let at = fixedSize + nameLength;
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
  return tracks;
}

export class Journal {
  readonly #file: ImageFile;
  readonly #disk: ImageDisk;
  readonly #identity: Uint8Array;

  private constructor(disk: ImageDisk, file: ImageFile, identity: string) {
    this.#disk = disk;
    this.#file = file;
    this.#identity = Buffer.from(identity, "utf8");
  }

  static async open(disk: ImageDisk, image: string, identity: string): Promise<Journal> {
    return new Journal(disk, await disk.openOrCreate(journalPath(image)), identity);
  }

  /** When it returns, the tracks are durable here. After a failure the image was not touched. */
  async record(tracks: ReadonlyMap<number, Uint8Array>): Promise<void> {
    const bytes = this.#encode(tracks);
    await this.#file.write(0, bytes);
    await this.#file.sync();
  }

  /** The image has all of it, durably. */
  async clear(): Promise<void> {
    await this.#file.truncate(0);
  }

  /** @param content remove: nothing in it is needed any more */
  async close(content: "keep" | "remove"): Promise<void> {
    await this.#file.close();
    if (content === "remove") await this.#disk.remove(this.#file.path);
  }

  #encode(tracks: ReadonlyMap<number, Uint8Array>): Uint8Array {
    let length = fixedSize + this.#identity.length;
    for (const track of tracks.values()) length += 8 + track.length;
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    bytes.set(Buffer.from(letters, "latin1"));
    view.setUint32(prefixSize, tracks.size, true);
    view.setUint32(prefixSize + 4, length, true);
    view.setUint32(prefixSize + 8, this.#identity.length, true);
    bytes.set(this.#identity, fixedSize);
    let at = fixedSize + this.#identity.length;
    for (const [track, content] of tracks) {
      view.setUint32(at, track, true);
      view.setUint32(at + 4, content.length, true);
      bytes.set(content, at + 8);
      at += 8 + content.length;
    }
    view.setUint32(8, crc32(bytes.subarray(prefixSize)), true);
    return bytes;
  }
}
