/** What a volume says of itself: its label, and the datasets that its table of contents lists. */
import { type Dscb, datasetOf, parseDscb, type VolumeDataset } from "./dscb.js";
import { fromEbcdic } from "./ebcdic.js";
import { ImageError } from "./error.js";
import type { Track } from "./track.js";
import type { TrackSource } from "./track-source.js";

export interface VolumeLabel {
  readonly serial: string;
  readonly owner: string;
  /** Where the table of contents begins; undefined where the label names no track of this disk. */
  readonly contents: { readonly track: number; readonly record: number } | undefined;
}

/** Record 3 of the first track, if it is a volume label. */
export async function volumeLabel(image: TrackSource): Promise<VolumeLabel | undefined> {
  const { records } = await image.read(0);
  const found = records.find(
    ({ record, key, data }) => record === 3 && key.length === 4 && data.length >= 51,
  );
  if (found === undefined || fromEbcdic(found.data.subarray(0, 4)) !== "VOL1") return undefined;
  const { data } = found;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const { cylinders, heads } = image.geometry;
  const cylinder = view.getUint16(11);
  const head = view.getUint16(13);
  const record = view.getUint8(15);
  const there = cylinder < cylinders && head < heads && record > 0;
  return {
    serial: fromEbcdic(data.subarray(4, 10)).trimEnd(),
    owner: fromEbcdic(data.subarray(37, 51)).trim(),
    contents: there ? { track: cylinder * heads + head, record } : undefined,
  };
}

/**
 * The datasets of a volume, in the order of its table of contents.
 * @throws ImageError image-dataset where there is no label, or no table of contents where it points
 */
export async function volumeDatasets(image: TrackSource): Promise<VolumeDataset[]> {
  const wrong = (what: string) => new ImageError("image-dataset", { file: image.path }, what);
  const label = await volumeLabel(image);
  if (label === undefined) throw wrong("track 0 has no volume label, so this is no volume with datasets");
  if (label.contents === undefined)
    throw wrong("the volume label names no place for a table of contents: the volume was only initialized");
  const { track } = label.contents;
  const start = await image.read(track);
  const first = start.records.find(({ record }) => record === label.contents?.record);
  const four = first === undefined ? undefined : parseDscb(first.key, first.data);
  if (four?.format !== 4)
    throw wrong(`track ${track}, record ${label.contents.record} does not begin a table of contents`);
  const { heads, tracks } = image.geometry;
  const last = four.contentsEnd.cylinder * heads + four.contentsEnd.head;
  if (four.contentsEnd.head >= heads || last < track || last >= tracks)
    throw wrong(`the table of contents would end at track ${last}, and it begins at ${track}`);
  const entries = new Map<string, Dscb>();
  const datasets: { readonly dscb: Dscb & { readonly format: 1 }; readonly at: string }[] = [];
  for (let at = track; at <= last; at += 1) {
    const content: Track = at === track ? start : await image.read(at);
    for (const { cylinder, head, record, key, data } of content.records) {
      const dscb = parseDscb(key, data);
      if (dscb === undefined) continue;
      const place = `${cylinder}.${head}.${record}`;
      entries.set(place, dscb);
      if (dscb.format === 1) datasets.push({ dscb, at: place });
    }
  }
  return datasets.map(({ dscb }) => datasetOf(dscb, entries, image));
}
