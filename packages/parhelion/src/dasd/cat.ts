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
import { describeError } from "../command-error.js";
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
    const output = new Output(terminal);
    if (options.json === true) return await printJson(records, [dataset.name, member?.name ?? null], output);
    await print(records, options.binary === true, output);
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

async function print(records: AsyncIterable<Uint8Array>, binary: boolean, output: Output): Promise<void> {
  for await (const record of records)
    if ((await output.put(binary ? record : `${textOf(record)}\n`)) === "nobody reads") return;
  await output.flush();
}

/** One object however it ends, and never all of it in memory. @returns the exit status */
async function printJson(
  records: AsyncIterable<Uint8Array>,
  [dataset, member]: readonly [string, string | null],
  output: Output,
): Promise<number> {
  await output.put(
    `{\n  "dataset": ${JSON.stringify(dataset)},\n  "member": ${JSON.stringify(member)},\n  "records": [`,
  );
  let status = 0;
  let end = "]\n}\n";
  let separator = "\n    ";
  try {
    for await (const record of records) {
      if ((await output.put(`${separator}${JSON.stringify(textOf(record))}`)) === "nobody reads") return 0;
      separator = ",\n    ";
    }
  } catch (error) {
    status = 1;
    end = `],\n  "error": ${JSON.stringify(describeError(error))}\n}\n`;
  }
  await output.put(separator.startsWith(",") ? `\n  ${end}` : end);
  await output.flush();
  return status;
}

const textOf = (record: Uint8Array): string => fromEbcdic(record).trimEnd();

/** Standard output, some of it at a time. */
class Output {
  readonly #terminal: Terminal;
  #parts: Uint8Array[] = [];
  #size = 0;
  #state: "read" | "nobody reads" = "read";

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.onOutputEnd(() => {
      this.#state = "nobody reads";
    });
  }

  async put(part: Uint8Array | string): Promise<"read" | "nobody reads"> {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= chunkBytes) await this.flush();
    return this.#state;
  }

  async flush(): Promise<void> {
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    await this.#terminal.outBytes(whole);
  }
}
