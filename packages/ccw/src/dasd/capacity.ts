/**
 * How many bytes of a 3390's track a record takes, in cells of 34 bytes; a track has 1729 besides record zero of the usual
 * length. The formula is the one that read device characteristics tells with its factors 34, 19, 9, 6, 116, 6.
 */
import { type CkdRecord, trackBytes } from "../image/track.js";

const cell = 34;
const cellsPerTrack = 1729;
const segment = 232;

/** Bytes with the check bytes that each begun segment adds. */
const cells = (length: number): number =>
  9 + Math.ceil((length + 6 * (Math.ceil((length + 6) / segment) + 1)) / cell);

export const recordCells = (keyLength: number, dataLength: number): number =>
  10 + cells(dataLength) + (keyLength === 0 ? 0 : cells(keyLength));

/**
 * @param records of a track, record zero first, which is not counted
 * @param imageBytes what an image has for a track: a long record zero can pass that
 */
export function fits(records: readonly CkdRecord[], imageBytes: number): boolean {
  if (trackBytes(records) > imageBytes) return false;
  let used = 0;
  for (const { key, data } of records.slice(1)) used += recordCells(key.length, data.length);
  return used <= cellsPerTrack;
}
