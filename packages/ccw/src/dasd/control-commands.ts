/** Commands that move the arm and bound what the rest of the program may do. */

import type { CkdRecord } from "../image/track.js";
import { type Answer, after } from "../storage/answer.js";
import { extendedLocateSize, extendedParameters, type Locate, locateSize, parseLocate } from "./domain.js";
import {
  checkExtent,
  defineExtentSize,
  type Extent,
  fileMask,
  parseExtent,
  type SeekControl,
  trackOf,
} from "./extent.js";
import { commandReject, fileProtected, noRecordFound, writeInhibited } from "./sense.js";
import { type Handler, type Handlers, outsideDomain, receiveAll, type Turn } from "./turn.js";

const noOperation: Handler = async (turn) => {
  if (turn.program.positioned !== "read-ipl") outsideDomain(turn);
  return 0;
};

/** Which seeks a mask allows. */
const seekReach: Readonly<Record<SeekControl, number>> = { all: 3, "cylinder-and-head": 2, head: 1, none: 0 };

const seek =
  (kind: "cylinder" | "head"): Handler =>
  async (turn) => {
    outsideDomain(turn);
    const { program, arm, disk } = turn;
    const bytes = await receiveAll(turn, 6);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const cylinder = kind === "head" ? arm.address.cylinder : view.getUint16(2);
    const track = trackOf(disk.geometry, { cylinder, head: view.getUint16(4) });
    if (view.getUint16(0) !== 0 || track === undefined) throw commandReject("invalidParameter");
    const reach = seekReach[program.extent.mask.seek];
    if (reach < (kind === "head" ? 1 : 2)) throw fileProtected();
    checkExtent(program.extent, track);
    await arm.seek(track);
    program.positioned = "seek";
    return 0;
  };

const recalibrate: Handler = async (turn) => {
  outsideDomain(turn);
  const { program, arm } = turn;
  if (seekReach[program.extent.mask.seek] < 3) throw fileProtected();
  checkExtent(program.extent, 0);
  await arm.seek(0);
  program.positioned = "seek";
  return 0;
};

const setFileMask: Handler = async (turn) => {
  outsideDomain(turn);
  const { program } = turn;
  if (program.bounds !== "default") throw commandReject("invalidSequence");
  const mask = fileMask((await receiveAll(turn, 1))[0] as number);
  program.extent = { ...program.extent, mask };
  program.bounds = "mask";
  return 0;
};

const setSector: Handler = async (turn) => {
  outsideDomain(turn);
  const sector = (await receiveAll(turn, 1))[0] as number;
  if (sector >= 224 && sector !== 0xff) throw commandReject("invalidParameter");
  return 0;
};

const spaceCount: Handler = async (turn) => {
  outsideDomain(turn);
  const { arm, program } = turn;
  // Which lengths to assume when a count can't be read: every count can.
  await receiveAll(turn, 3);
  if (program.positioned === "no") throw commandReject("invalidSequence");
  await arm.next(
    { zero: "counts", tracks: "one", trackEnd: "turns", search: false },
    program.extent,
    "outside",
  );
  return 0;
};

const defineExtentCommand: Handler = (turn) => {
  outsideDomain(turn);
  const { program } = turn;
  if (program.bounds === "mask" || program.positioned === "read-ipl") throw commandReject("invalidSequence");
  return after(receiveAll(turn, defineExtentSize), (bytes) => {
    defineExtent(turn, bytes);
    return 0;
  });
};

/** @throws UnitCheck */
export function defineExtent({ program, disk }: Turn, bytes: Uint8Array): void {
  const extent = parseExtent(bytes, disk.geometry);
  if (program.bounds === "extent" && !sameBounds(extent, program.extent))
    throw commandReject("invalidSequence");
  program.extent = extent;
  program.bounds = "extent";
}

/** A second define extent may only move the range. */
const sameBounds = (one: Extent, other: Extent): boolean =>
  one.mask.byte === other.mask.byte && one.blockSize === other.blockSize;

const locateRecord: Handler = (turn) => {
  mayLocate(turn);
  return after(receiveAll(turn, locateSize), (bytes) =>
    locate(turn, parseLocate(bytes, { extended: false }, turn.program.extent, turn.disk.geometry)),
  );
};

const locateRecordExtended: Handler = async (turn) => {
  mayLocate(turn);
  const head = await receiveAll(turn, extendedLocateSize);
  const length = extendedParameters(head);
  if (length > mostParameters) throw commandReject("invalidParameter");
  const rest = length > 0 ? await receiveAll(turn, length) : new Uint8Array(0);
  return extendedLocate(turn, Buffer.concat([head, rest]));
};

/** @param bytes at least as many as it has @throws UnitCheck */
export function extendedLocate(turn: Turn, bytes: Uint8Array): Answer<number> {
  const length = extendedParameters(bytes);
  if (length > mostParameters) throw commandReject("invalidParameter");
  const whole = bytes.subarray(0, extendedLocateSize + length);
  return locate(turn, parseLocate(whole, { extended: true }, turn.program.extent, turn.disk.geometry));
}

/** Of the extended form, in bytes. */
const mostParameters = 2;

function mayLocate(turn: Turn): void {
  outsideDomain(turn);
  const { program } = turn;
  if (program.bounds !== "extent" && program.positioned !== "read-ipl")
    throw commandReject("invalidSequence");
}

function locate(turn: Turn, wanted: Locate): Answer<number> {
  const { arm, disk } = turn;
  const writes = ["write-data", "format-write", "write-any"].includes(wanted.operation);
  if (writes && disk.access === "read-only") throw writeInhibited();
  return after(arm.seek(wanted.track, ahead(turn, wanted)), ({ home }) => {
    if (wanted.orientation === "home") {
      const { cylinder, head } = wanted.search.address;
      if (home.cylinder !== cylinder || home.head !== head) throw noRecordFound();
    } else if (wanted.orientation !== "index") {
      return after(toSearched(turn, wanted), () => located(turn, wanted));
    }
    return located(turn, wanted);
  });
}

/**
 * How many tracks behind the first the domain may come to: not beyond the extent, and not more than it has commands. Formatting does not
 * ask what is on them.
 */
function ahead({ program }: Turn, { operation, track, count }: Locate): number {
  if (program.bounds !== "extent" || operation === "format-write" || operation === "orient") return 0;
  return Math.min(program.extent.last - track, count - 1);
}

function located({ arm, program }: Turn, wanted: Locate): number {
  if (wanted.orientation === "data") arm.orientation = "data";
  program.positioned = "locate";
  program.domain = wanted;
  program.tracksRead = 0;
  program.remaining = wanted.count;
  return 0;
}

const searched = { zero: "counts", tracks: "one", trackEnd: "fails", search: true } as const;

/** With read any and write any, to the first record besides record zero; otherwise to the one that is named. */
function toSearched(turn: Turn, wanted: Locate): Answer<void> {
  const { arm, program } = turn;
  for (;;) {
    const record = arm.next(searched, program.extent, "inside");
    if (record instanceof Promise) {
      return record.then((found) => (isSearched(found, wanted) ? undefined : toSearched(turn, wanted)));
    }
    if (isSearched(record, wanted)) return undefined;
  }
}

function isSearched({ cylinder, head, record }: CkdRecord, { operation, search }: Locate): boolean {
  if (operation === "read-any" || operation === "write-any") return record !== 0;
  const { address } = search;
  return cylinder === address.cylinder && head === address.head && record === search.record;
}

export const controlCommands: Handlers = {
  3: noOperation,
  7: seek("cylinder"),
  11: seek("cylinder"),
  15: spaceCount,
  19: recalibrate,
  23: noOperation,
  27: seek("head"),
  31: setFileMask,
  35: setSector,
  71: locateRecord,
  75: locateRecordExtended,
  99: defineExtentCommand,
};
