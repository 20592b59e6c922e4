/**
 * The orders of extended count-key-data that reading, writing and formatting blocks take (IBM 3990 Storage Control Reference,
 * GA32-0099; drivers/s390/block/dasd_eckd.c).
 */

/** Bytes of a block, which is the data of one record. */
export const blockBytes = 4096;
/** Records of that length on a track of a 3390. */
export const blocksPerTrack = 12;

export const EckdCommand = {
  basicSense: 0x04,
  senseId: 0xe4,
  readDeviceCharacteristics: 0x64,
  defineExtent: 0x63,
  locateRecord: 0x47,
  /** On to the next track when one ends. */
  readData: 0x86,
  writeData: 0x85,
  readCount: 0x92,
  writeCountKeyData: 0x1d,
  /** All of a track from record zero on. */
  readTrack: 0xde,
} as const;

export interface Disk {
  readonly cylinders: number;
  /** Tracks of a cylinder. */
  readonly heads: number;
}

/** What a channel program may do to its tracks. */
export type Purpose = "read" | "write" | "format";

const fileMasks: Readonly<Record<Purpose, number>> = { read: 0x40, write: 0x80, format: 0xc0 };
const operations: Readonly<Record<Purpose, number>> = { read: 0x06, write: 0x01, format: 0x03 };

const readTracks = 0x0c;

/** Extended count-key-data, and no more of it. */
const attributes = 0xc0;
/** The last bytes of the order say how long each transfer is. */
const lengthValid = 0x80;
/** Where the record turns up on the track is not known. */
const anySector = 0xff;

export const orderBytes = 16;

/** @param first, last tracks, both included */
export function defineExtent(disk: Disk, purpose: Purpose, first: number, last: number): Uint8Array {
  const bytes = new Uint8Array(orderBytes);
  const view = new DataView(bytes.buffer);
  bytes[0] = fileMasks[purpose];
  bytes[1] = attributes;
  view.setUint16(2, blockBytes);
  setTrack(view, 8, disk, first);
  setTrack(view, 12, disk, last);
  return bytes;
}

/** @param record 1 is the first block of a track; to format, 0 @param count of the commands that follow: at most 255 */
export function locateRecord(
  disk: Disk,
  purpose: Purpose,
  track: number,
  record: number,
  count: number,
): Uint8Array {
  const bytes = new Uint8Array(orderBytes);
  const view = new DataView(bytes.buffer);
  bytes[0] = operations[purpose];
  bytes[3] = count;
  setTrack(view, 4, disk, track);
  setTrack(view, 8, disk, track);
  bytes[12] = record;
  bytes[13] = anySector;
  if (purpose === "write") {
    bytes[1] = lengthValid;
    view.setUint16(14, blockBytes);
  }
  return bytes;
}

/** For reading one track whole. */
export function locateTrack(disk: Disk, track: number): Uint8Array {
  const bytes = locateRecord(disk, "read", track, 0, 1);
  bytes[0] = readTracks;
  return bytes;
}

/** The count of a block's record, which goes before its data when a track is formatted. */
export function countOf(disk: Disk, track: number, record: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  setTrack(view, 0, disk, track);
  bytes[4] = record;
  view.setUint16(6, blockBytes);
  return bytes;
}

/** Of the answer to read device characteristics. */
export function diskOf(characteristics: Uint8Array): Disk {
  const view = new DataView(characteristics.buffer, characteristics.byteOffset, characteristics.byteLength);
  return { cylinders: view.getUint16(12), heads: view.getUint16(14) };
}

function setTrack(view: DataView, at: number, { heads }: Disk, track: number): void {
  view.setUint16(at, Math.floor(track / heads));
  view.setUint16(at + 2, track % heads);
}
