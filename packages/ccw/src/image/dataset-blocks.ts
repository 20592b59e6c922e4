/** The blocks and records of datasets: sequential ones whole, partitioned ones by member. */
import type { VolumeDataset } from "./dscb.js";
import { fromEbcdic } from "./ebcdic.js";
import { ImageError } from "./error.js";
import type { TrackSource } from "./track-source.js";

export interface Member {
  readonly name: string;
  /** Another name for a member. */
  readonly kind: "member" | "alias";
  /** Track counted from the dataset's first, and record on it. */
  readonly track: number;
  readonly record: number;
  readonly userData: Uint8Array;
}

/** From a place on, up to the end-of-file mark. */
export interface BlocksFrom {
  readonly track: number;
  readonly record: number;
  /** Told of each track before it is read, counted from the dataset's first. */
  readonly onTrack?: ((track: number) => void) | undefined;
}

const wrong = (image: TrackSource, { name }: VolumeDataset, what: string) =>
  new ImageError("image-dataset", { file: image.path }, `dataset ${name}: ${what}`);

/** The disk's track for a track counted from the dataset's first. */
function diskTrack({ extents }: VolumeDataset, relative: number): number | undefined {
  let rest = relative;
  for (const { first, last } of extents) {
    const length = last - first + 1;
    if (rest < length) return first + rest;
    rest -= length;
  }
  return undefined;
}

/**
 * The data of each block. It ends at an end-of-file mark, or where the dataset's tracks do.
 * @throws ImageError image-dataset where `from` is not in the dataset, and what is wrong with a track
 */
export async function* datasetBlocks(
  image: TrackSource,
  dataset: VolumeDataset,
  from: BlocksFrom = { track: 0, record: 1 },
): AsyncGenerator<Uint8Array, void, undefined> {
  if (dataset.tracks === 0) return;
  if (diskTrack(dataset, from.track) === undefined)
    throw wrong(image, dataset, `track ${from.track} of it; it has ${dataset.tracks}`);
  for (let relative = from.track; relative < dataset.tracks; relative += 1) {
    from.onTrack?.(relative);
    const { records } = await image.read(diskTrack(dataset, relative) as number);
    for (const { record, data } of records) {
      if (record === 0 || (relative === from.track && record < from.record)) continue;
      if (data.length === 0) return;
      yield data;
    }
  }
}

/** Members in the order of the directory. @throws ImageError image-dataset */
export async function datasetMembers(image: TrackSource, dataset: VolumeDataset): Promise<Member[]> {
  if (dataset.organization !== "PO") throw wrong(image, dataset, "it has no members: it is not partitioned");
  const members: Member[] = [];
  for await (const block of datasetBlocks(image, dataset)) {
    const used = ((block[0] ?? 0) << 8) | (block[1] ?? 0);
    if (block.length !== 256 || used < 2 || used > block.length)
      throw wrong(image, dataset, `a directory block of ${block.length} bytes says that ${used} are used`);
    for (let at = 2; at < used; ) {
      // Eight bytes of ones end the directory.
      if (at + 8 <= used && block.subarray(at, at + 8).every((byte) => byte === 0xff)) return members;
      const userLength = ((block[at + 11] ?? 0) & 0x1f) * 2;
      if (at + 12 + userLength > used)
        throw wrong(image, dataset, "a directory entry passes the end of its block");
      members.push({
        name: fromEbcdic(block.subarray(at, at + 8)).trimEnd(),
        kind: ((block[at + 11] as number) & 0x80) === 0 ? "member" : "alias",
        track: ((block[at + 8] as number) << 8) | (block[at + 9] as number),
        record: block[at + 10] as number,
        userData: block.slice(at + 12, at + 12 + userLength),
      });
      at += 12 + userLength;
    }
  }
  throw wrong(image, dataset, "its directory has no end");
}

/**
 * The records in a block, as the dataset's format says: fixed ones by their length, variable ones by their descriptor words.
 * @throws ImageError image-dataset where lengths do not fit in the block
 */
export function* blockRecords(
  image: TrackSource,
  dataset: VolumeDataset,
  block: Uint8Array,
): Generator<Uint8Array, void, undefined> {
  const { recordFormat, recordLength } = dataset;
  const kind = recordFormat[0];
  if (kind === "V") {
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    const length = block.length < 4 ? 0 : view.getUint16(0);
    if (length < 4 || length > block.length)
      throw wrong(image, dataset, `a block of ${block.length} bytes says that it has ${length}`);
    for (let at = 4; at < length; ) {
      const size = at + 4 <= length ? view.getUint16(at) : 0;
      if (size < 4 || at + size > length)
        throw wrong(image, dataset, `a record of ${size} bytes at ${at} in a block of ${length}`);
      yield block.subarray(at + 4, at + size);
      at += size;
    }
    return;
  }
  if (kind !== "F" || recordLength === 0) {
    yield block;
    return;
  }
  for (let at = 0; at < block.length; at += recordLength) yield block.subarray(at, at + recordLength);
}

/** All records from a place on. */
export async function* datasetRecords(
  image: TrackSource,
  dataset: VolumeDataset,
  from?: BlocksFrom,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const block of datasetBlocks(image, dataset, from)) yield* blockRecords(image, dataset, block);
}
