/** `parhelion dasd ls`: the datasets of a volume, or the members of one of them. */
import { type DayOfYear, datasetMembers, volumeDatasets } from "parhelion-ccw";
import type { Terminal } from "../terminal.js";
import { printable } from "../views/printable.js";
import { table } from "../views/table.js";
import { findDataset } from "./find-dataset.js";
import { openDisk } from "./open-disk.js";

export interface DasdLs {
  readonly image: string;
  readonly dataset: string | undefined;
  readonly json?: boolean;
}

export async function dasdLs(options: DasdLs, terminal: Terminal): Promise<number> {
  const image = await openDisk(options.image, terminal);
  try {
    const datasets = await volumeDatasets(image);
    if (options.dataset !== undefined) {
      const dataset = findDataset(image, datasets, options.dataset);
      await listMembers(await datasetMembers(image, dataset), options, terminal);
      return 0;
    }
    if (options.json) {
      const plain = datasets.map(({ created, expires, referenced, ...rest }) => ({
        ...rest,
        created: dateOf(created),
        expires: dateOf(expires),
        referenced: dateOf(referenced),
      }));
      terminal.out(JSON.stringify({ image: options.image, datasets: plain }, null, 2));
    } else if (datasets.length > 0)
      terminal.out(
        table(
          ["dataset", "org", "format", "record", "block", "key", "tracks", "extents", "created"],
          datasets.map((each) => [
            printable(each.name),
            each.organization,
            each.recordFormat,
            each.recordLength,
            each.blockSize,
            each.keyLength,
            each.tracks,
            each.extents.length,
            dateOf(each.created) ?? "",
          ]),
        ),
      );
    return 0;
  } finally {
    await image.close();
  }
}

async function listMembers(
  members: Awaited<ReturnType<typeof datasetMembers>>,
  options: DasdLs,
  terminal: Terminal,
): Promise<void> {
  if (options.json) {
    const plain = members.map(({ name, kind, track, record }) => ({ name, kind, track, record }));
    terminal.out(JSON.stringify({ image: options.image, dataset: options.dataset, members: plain }, null, 2));
  } else
    for (const { name, kind } of members)
      terminal.out(kind === "alias" ? `${printable(name)}  alias` : printable(name));
}

function dateOf(day: DayOfYear | undefined): string | null {
  return day === undefined ? null : new Date(Date.UTC(day.year, 0, day.day)).toISOString().slice(0, 10);
}
