/** Tracks that a compressed image does not store: only which kind of empty track each is. */
import type { Geometry } from "./geometry.js";
import { trackAddress } from "./geometry.js";
import { type CkdRecord, encodeTrack, type Track } from "./track.js";

/** 0: record zero and an end-of-file mark; 1: record zero; 2: record zero and twelve records of 4096 zeros, as Linux formats. */
export type NullFormat = 0 | 1 | 2;

export const isNullFormat = (value: number): value is NullFormat => value === 0 || value === 1 || value === 2;

export function nullTrack(geometry: Pick<Geometry, "heads">, track: number, format: NullFormat): Track {
  const home = trackAddress(geometry, track);
  const record = (number: number, length: number): CkdRecord => ({
    ...home,
    record: number,
    key: new Uint8Array(0),
    data: new Uint8Array(length),
  });
  const records = [record(0, 8)];
  if (format === 0) records.push(record(1, 0));
  if (format === 2) for (let number = 1; number <= 12; number += 1) records.push(record(number, 4096));
  return { home, records };
}

/** Which empty track these bytes are, if any. */
export function nullFormatOf(
  bytes: Uint8Array,
  geometry: Pick<Geometry, "heads">,
  track: number,
): NullFormat | undefined {
  for (const format of [0, 1, 2] as const) {
    if (bytes.length !== nullTrackBytes[format]) continue;
    const empty = encodeTrack(nullTrack(geometry, track, format));
    if (Buffer.compare(bytes, empty) === 0) return format;
  }
  return undefined;
}

const nullTrackBytes = [5 + 16 + 8 + 8, 5 + 16 + 8, 5 + 16 + 12 * (8 + 4096) + 8] as const;
