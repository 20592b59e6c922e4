/** Commands that write to a track. */
import type { CkdRecord } from "../image/track.js";
import { type Answer, after } from "../storage/answer.js";
import { fits } from "./capacity.js";
import type { LocateOperation } from "./domain.js";
import { checkMask, type WriteKind } from "./extent.js";
import { commandReject, invalidTrackFormat, writeInhibited } from "./sense.js";
import {
  domainOf,
  type Handler,
  type Handlers,
  receiveAll,
  receivePadded,
  severalTracks,
  type Turn,
} from "./turn.js";

function mayWrite(turn: Turn, kind: WriteKind, operations: readonly LocateOperation[]): void {
  const { program, disk } = turn;
  const { domain } = program;
  if (program.inDomain && domain !== undefined && !operations.includes(domain.operation))
    throw commandReject("invalidSequence");
  if (disk.access === "read-only") throw writeInhibited();
  checkMask(program.extent, kind);
}

const updates: readonly LocateOperation[] = ["write-data", "write-any"];
const formats: readonly LocateOperation[] = ["format-write"];

/** To the record that is to be updated: the one that was found, or in a domain the next one. */
function toUpdated(turn: Turn, found: readonly string[], stands: readonly string[]): Answer<CkdRecord> {
  const { arm, program } = turn;
  if (!program.inDomain) {
    if (!found.includes(program.found) || !stands.includes(arm.orientation))
      throw commandReject("invalidSequence");
    return arm.record;
  }
  if (stands.includes(arm.orientation)) return arm.record;
  return arm.next(
    { zero: "is-passed", tracks: severalTracks(turn.command), trackEnd: "turns", search: false },
    program.extent,
    domainOf(turn),
  );
}

const writeData: Handler = (turn) => {
  mayWrite(turn, "update", updates);
  return after(toUpdated(turn, ["id", "key"], ["count", "key"]), (record) =>
    after(receivePadded(turn, record.data.length), (data) => updated(turn, { ...record, data })),
  );
};

function updated(turn: Turn, record: CkdRecord): Answer<number> {
  return after(turn.arm.update(record), () => {
    turn.program.wrote = "tracks";
    return 0;
  });
}

const writeKeyData: Handler = async (turn) => {
  mayWrite(turn, "update", updates);
  const record = await toUpdated(turn, ["id"], ["count"]);
  const both = await receivePadded(turn, record.key.length + record.data.length);
  const key = both.subarray(0, record.key.length);
  await turn.arm.update({ ...record, key, data: both.subarray(record.key.length) });
  turn.program.wrote = "tracks";
  return 0;
};

/** A count and the key and data that it announces. */
async function receiveRecord(turn: Turn): Promise<CkdRecord> {
  const count = await receiveAll(turn, 8);
  const view = new DataView(count.buffer, count.byteOffset, count.byteLength);
  // In an image a count of ones ends the track.
  if (count.every((byte) => byte === 0xff)) throw commandReject("invalidParameter");
  const keyLength = view.getUint8(5);
  const both = await receivePadded(turn, keyLength + view.getUint16(6));
  return {
    cylinder: view.getUint16(0),
    head: view.getUint16(2),
    record: view.getUint8(4),
    key: both.subarray(0, keyLength),
    data: both.subarray(keyLength),
  };
}

/** @throws UnitCheck invalid track format where the track has no room */
async function append(turn: Turn): Promise<void> {
  const records = await turn.arm.appended(await receiveRecord(turn));
  if (!fits(records, turn.disk.geometry.trackSize)) throw invalidTrackFormat();
  await turn.arm.format(records);
  turn.program.wrote = "tracks";
}

const writeCountKeyData: Handler = async (turn) => {
  const { program, arm } = turn;
  mayWrite(turn, "format", formats);
  const follows = program.found === "id" || program.found === "key" || program.found === "written";
  if (!program.inDomain && !follows) throw commandReject("invalidSequence");
  if (program.inDomain && arm.orientation === "index") throw commandReject("invalidSequence");
  await append(turn);
  program.found = "written";
  return 0;
};

const writeNextTrack: Handler = async (turn) => {
  const { program, arm } = turn;
  mayWrite(turn, "format", formats);
  if (!program.inDomain) throw commandReject("invalidSequence");
  await arm.advance(program.extent, "inside");
  // Behind record zero, which stays.
  await arm.next(
    { zero: "counts", tracks: "one", trackEnd: "fails", search: false },
    program.extent,
    "inside",
  );
  await append(turn);
  program.found = "written";
  return 0;
};

const writeRecordZero: Handler = async (turn) => {
  const { program, arm } = turn;
  mayWrite(turn, "home-address", formats);
  const atStart = program.inDomain ? arm.orientation === "index" : program.found === "home";
  if (!atStart) throw commandReject("invalidSequence");
  const record = await receiveRecord(turn);
  if (record.record !== 0) throw commandReject("invalidParameter");
  if (!fits([record], turn.disk.geometry.trackSize)) throw invalidTrackFormat();
  await arm.format([record]);
  program.found = "written";
  program.wrote = "tracks";
  return 0;
};

/** Home addresses stand where they are; with theirs, a track is empty again. */
const writeHomeAddress: Handler = async (turn) => {
  const { program, arm } = turn;
  mayWrite(turn, "home-address", formats);
  if (program.extent.mask.authority === "normal") throw commandReject("maskViolated");
  const bytes = await receiveAll(turn, 5);
  const { cylinder, head } = arm.address;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(1) !== cylinder || view.getUint16(3) !== head) throw commandReject("invalidParameter");
  await arm.format([{ cylinder, head, record: 0, key: new Uint8Array(0), data: new Uint8Array(8) }]);
  arm.toIndex();
  program.found = "home";
  program.wrote = "tracks";
  return 0;
};

/** What follows the arm is gone; the count and what it announces are taken and forgotten. */
const erase: Handler = async (turn) => {
  const { program, arm } = turn;
  mayWrite(turn, "format", formats);
  const follows = program.found === "id" || program.found === "key" || program.found === "written";
  if (program.inDomain ? arm.orientation === "index" : !follows) throw commandReject("invalidSequence");
  await receiveRecord(turn);
  await arm.truncate();
  program.found = "written";
  program.wrote = "tracks";
  return 0;
};

export const writeCommands: Handlers = {
  5: writeData,
  133: writeData,
  13: writeKeyData,
  141: writeKeyData,
  17: erase,
  21: writeRecordZero,
  25: writeHomeAddress,
  29: writeCountKeyData,
  157: writeNextTrack,
};
