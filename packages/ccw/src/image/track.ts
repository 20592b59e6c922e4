/**
 * A track and its bytes in an image: home address (flag, cylinder, head), then for each record its count (cylinder, head,
 * record, key length, data length), key and data, then eight bytes of ones. All numbers are big-endian.
 */
import { ImageError, type ImagePlace } from "./error.js";
import type { Geometry, TrackAddress } from "./geometry.js";
import { trackAddress } from "./geometry.js";

export interface CkdRecord {
  /** What the count field says, which need not be where the record is. */
  readonly cylinder: number;
  readonly head: number;
  readonly record: number;
  /** Empty where the record has no key. */
  readonly key: Uint8Array;
  /** Empty for an end-of-file mark. */
  readonly data: Uint8Array;
}

/** Values are never changed in place: a writer makes a new track. */
export interface Track {
  readonly home: TrackAddress;
  /** The first is record zero. */
  readonly records: readonly CkdRecord[];
}

export const homeAddressSize = 5;
export const countSize = 8;
export const endMarkSize = 8;

/** What `records` take in an image, in bytes. */
export function trackBytes(records: readonly CkdRecord[]): number {
  let size = homeAddressSize + endMarkSize;
  for (const { key, data } of records) size += countSize + key.length + data.length;
  return size;
}

/**
 * The track that `bytes` hold; its records are views on them.
 * @param place where in the file the bytes begin; offsets in errors count from there
 * @throws ImageError image-track
 */
export function decodeTrack(bytes: Uint8Array, geometry: Geometry, track: number, place: ImagePlace): Track {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const home = trackAddress(geometry, track);
  const name = `track ${track} (cylinder ${home.cylinder}, head ${home.head})`;
  const wrong = (at: number, what: string) =>
    new ImageError(
      "image-track",
      { file: place.file, ...(place.offset === undefined ? {} : { offset: place.offset + at }) },
      `${name}: ${what}`,
    );
  if (bytes.length < homeAddressSize + endMarkSize) throw wrong(0, `${bytes.length} bytes are no track`);
  const found = { cylinder: view.getUint16(1), head: view.getUint16(3) };
  if (found.cylinder !== home.cylinder || found.head !== home.head)
    throw wrong(0, `its home address says cylinder ${found.cylinder}, head ${found.head}`);
  const records: CkdRecord[] = [];
  let at = homeAddressSize;
  for (;;) {
    if (at + endMarkSize > bytes.length) throw wrong(at, "it ends without an end mark");
    if (isEndMark(bytes, at)) break;
    const keyLength = view.getUint8(at + 5);
    const dataLength = view.getUint16(at + 6);
    const data = at + countSize + keyLength;
    const next = data + dataLength;
    if (next + endMarkSize > bytes.length)
      throw wrong(
        at,
        `a record with a key of ${keyLength} and data of ${dataLength} bytes passes the track's end`,
      );
    records.push({
      cylinder: view.getUint16(at),
      head: view.getUint16(at + 2),
      record: view.getUint8(at + 4),
      key: bytes.subarray(at + countSize, data),
      data: bytes.subarray(data, next),
    });
    at = next;
  }
  const [zero] = records;
  if (zero === undefined || zero.record !== 0)
    throw wrong(homeAddressSize, "it does not begin with record zero");
  return { home, records };
}

/** The bytes of a track, without what an image puts behind its end mark. Fresh memory. */
export function encodeTrack(track: Track): Uint8Array {
  const bytes = new Uint8Array(trackBytes(track.records));
  const view = new DataView(bytes.buffer);
  view.setUint16(1, track.home.cylinder);
  view.setUint16(3, track.home.head);
  let at = homeAddressSize;
  for (const { cylinder, head, record, key, data } of track.records) {
    view.setUint16(at, cylinder);
    view.setUint16(at + 2, head);
    view.setUint8(at + 4, record);
    view.setUint8(at + 5, key.length);
    view.setUint16(at + 6, data.length);
    bytes.set(key, at + countSize);
    bytes.set(data, at + countSize + key.length);
    at += countSize + key.length + data.length;
  }
  bytes.fill(0xff, at);
  return bytes;
}

export function isEndMark(bytes: Uint8Array, at: number): boolean {
  for (let index = at; index < at + endMarkSize; index += 1) if (bytes[index] !== 0xff) return false;
  return true;
}
