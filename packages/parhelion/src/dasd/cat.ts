/** `parhelion dasd cat`: a dataset's or member's records, as text or as they are. */
import {
  datasetMembers,
  datasetRecords,
  fromEbcdic,
  ImageError,
  type Member,
  type TrackSource,
  type VolumeDataset,
  volumeDatasets,
} from "parhelion-ccw";
import type { Terminal } from "../terminal.js";
import { findDataset, findMember, parseDatasetName } from "./find-dataset.js";
import { openDisk } from "./open-disk.js";
import { progressOf } from "./progress.js";

export interface DasdCat {
  readonly image: string;
  /** `NAME` or `NAME(MEMBER)`. */
  readonly dataset: string;
  readonly binary?: boolean;
  readonly json?: boolean;
}

/** So much is gathered before it is written. */
const chunkBytes = 64 * 1024;

export async function dasdCat(options: DasdCat, terminal: Terminal): Promise<number> {
  const wanted = parseDatasetName(options.dataset);
  const image = await openDisk(options.image, terminal);
  try {
    const dataset = findDataset(image, await volumeDatasets(image), wanted.dataset);
    const member = await memberOf(image, dataset, wanted.member);
    const { track, record } = member ?? { track: 0, record: 1 };
    const progress = progressOf(terminal, `reading ${dataset.name}, tracks`, dataset.tracks);
    const records = datasetRecords(image, dataset, { track, record, onTrack: (at) => progress.at(at) });
    if (options.json) {
      const lines: string[] = [];
      for await (const record of records) lines.push(fromEbcdic(record).trimEnd());
      terminal.out(
        JSON.stringify({ dataset: dataset.name, member: member?.name ?? null, records: lines }, null, 2),
      );
    } else await print(records, options.binary === true, terminal);
    return 0;
  } finally {
    await image.close();
  }
}

async function memberOf(
  image: TrackSource,
  dataset: VolumeDataset,
  name: string | undefined,
): Promise<Member | undefined> {
  if (dataset.organization === "PO") {
    const members = await datasetMembers(image, dataset);
    if (name !== undefined) return findMember(image, members, dataset.name, name);
    throw new ImageError(
      "image-dataset",
      { file: image.path },
      `dataset ${dataset.name} is partitioned: name a member, as in '${dataset.name}(${members[0]?.name ?? "MEMBER"})'`,
    );
  }
  if (name !== undefined)
    throw new ImageError("image-dataset", { file: image.path }, `dataset ${dataset.name} has no members`);
  if (dataset.organization !== "PS" && dataset.organization !== "DA")
    throw new ImageError(
      "image-dataset",
      { file: image.path },
      `dataset ${dataset.name} is of organization ${dataset.organization}, which is not read here`,
    );
  return undefined;
}

async function print(records: AsyncIterable<Uint8Array>, binary: boolean, terminal: Terminal): Promise<void> {
  let reading = true;
  terminal.onOutputEnd(() => {
    reading = false;
  });
  let parts: Uint8Array[] = [];
  let size = 0;
  const flush = async () => {
    await terminal.outBytes(Buffer.concat(parts));
    parts = [];
    size = 0;
  };
  for await (const record of records) {
    const part = binary ? record : Buffer.from(`${fromEbcdic(record).trimEnd()}\n`);
    parts.push(part);
    size += part.length;
    if (size < chunkBytes) continue;
    await flush();
    if (!reading) return;
  }
  await flush();
}
