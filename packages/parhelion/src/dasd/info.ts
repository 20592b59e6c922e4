/** `parhelion dasd info`: what an image is of, and whether all of it can be read. */
import { DiskImage, isBlockError, isImageError, type TrackSource, volumeLabel } from "parhelion-ccw";
import type { Terminal } from "../terminal.js";
import { printable } from "../views/printable.js";
import { bytes } from "../views/table.js";
import { openDisk } from "./open-disk.js";
import { progressOf } from "./progress.js";

export interface DasdInfo {
  readonly image: string;
  readonly check?: boolean;
  readonly json?: boolean;
}

interface BadTrack {
  readonly track: number;
  readonly code: string;
  readonly message: string;
}

export async function dasdInfo(options: DasdInfo, terminal: Terminal): Promise<number> {
  const image = await openDisk(options.image, terminal);
  try {
    const { geometry } = image;
    // Of a disk that is served nobody but who serves it knows what it lies in.
    const format = image instanceof DiskImage ? image.format : null;
    const label = await volumeLabel(image);
    const space = image instanceof DiskImage ? await image.space() : null;
    const bad = options.check === true ? await check(image, terminal) : undefined;
    const volume = label === undefined ? null : { serial: label.serial, owner: label.owner };
    const { type, model, cylinders, heads, tracks, trackSize } = geometry;
    const about = { model: model.name, type: type.type.toString(16), cylinders, heads, tracks, trackSize };
    if (options.json)
      terminal.out(
        JSON.stringify(
          { image: options.image, ...about, volume, format, space, ...(bad && { bad }) },
          null,
          2,
        ),
      );
    else {
      terminal.out(`disk     ${model.name}, ${cylinders} cylinders of ${heads} tracks, ${tracks} tracks`);
      terminal.out(`volume   ${volume === null ? "no label" : printable(named(volume))}`);
      if (format !== null) terminal.out(`format   ${formatText(format)}`);
      if (space !== null) terminal.out(`space    ${spaceText(space, tracks)}`);
      for (const file of format?.files ?? []) terminal.out(`file     ${printable(file)}`);
      if (format === null) terminal.out(`socket   ${printable(image.path)}`);
      if (bad !== undefined) terminal.out(`checked  ${tracks} tracks, ${bad.length} can't be read`);
      for (const { message } of bad ?? []) terminal.out(`  ${printable(message)}`);
    }
    return bad === undefined || bad.length === 0 ? 0 : 1;
  } finally {
    await image.close();
  }
}

const named = ({ serial, owner }: { readonly serial: string; readonly owner: string }) =>
  owner === "" ? serial : `${serial}, owner ${owner}`;

const states = {
  closed: "",
  "not-closed": "; it is being written, or was not closed in order",
  "journal-pending": "; a journal beside it holds its last writes",
} as const;

function formatText({ kind, compression, state }: DiskImage["format"]): string {
  const packed = compression === "none" ? "without packing" : `packed with ${compression}`;
  return `${kind === "plain" ? "uncompressed (CKD)" : `compressed (CCKD), ${packed}`}${states[state]}`;
}

function spaceText(space: Awaited<ReturnType<DiskImage["space"]>>, tracks: number): string {
  const free =
    space.freeBytes === 0
      ? ""
      : `, ${bytes(space.freeBytes)} free in ${space.freeExtents} ${space.freeExtents === 1 ? "place" : "places"}`;
  return `${bytes(space.fileBytes)} for ${space.storedTracks} of ${tracks} tracks${free}`;
}

/** Every track that can't be read. */
async function check(image: TrackSource, terminal: Terminal): Promise<BadTrack[]> {
  const { tracks } = image.geometry;
  const progress = progressOf(terminal, "checking tracks", tracks);
  const bad: BadTrack[] = [];
  for (let track = 0; track < tracks; track += 1) {
    try {
      await image.read(track);
    } catch (error) {
      if (!isImageError(error) && !isBlockError(error, "block-unit-check")) throw error;
      bad.push({ track, code: error.code, message: error.message });
    }
    progress.at(track + 1);
  }
  return bad;
}
