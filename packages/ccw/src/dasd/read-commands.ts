/** Commands that read from a track. */
import { Dstat } from "parhelion-buses";
import { type CkdRecord, encodeTrack, homeAddressSize } from "../image/track.js";
import { type Answer, after } from "../storage/answer.js";
import type { LocateOperation } from "./domain.js";
import { commandReject } from "./sense.js";
import { domainOf, type Handler, type Handlers, multiTrack, severalTracks, type Turn } from "./turn.js";

const ordinary: readonly LocateOperation[] = ["read-data", "read", "read-any"];

/** @throws UnitCheck command reject where no seek or locate came before, or the domain is for something else */
function mayRead(turn: Turn, operations: readonly LocateOperation[]): void {
  const { program } = turn;
  if (program.positioned === "no") throw commandReject("invalidSequence");
  const { domain } = program;
  if (!program.inDomain || domain === undefined) return;
  const suffix = domain.countSuffix && program.remaining === 1 && (turn.command.code & ~multiTrack) === 0x12;
  if (!suffix && !operations.includes(domain.operation)) throw commandReject("invalidSequence");
}

const nextRecord = (turn: Turn, zero: "counts" | "is-passed" = "is-passed"): Answer<CkdRecord> =>
  turn.arm.next(
    { zero, tracks: severalTracks(turn.command), trackEnd: "turns", search: false },
    turn.program.extent,
    domainOf(turn),
  );

export function countBytes({ cylinder, head, record, key, data }: CkdRecord): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, cylinder);
  view.setUint16(2, head);
  view.setUint8(4, record);
  view.setUint8(5, key.length);
  view.setUint16(6, data.length);
  return bytes;
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

/** A record without data is an end-of-file mark. */
const markStatus = ({ data }: CkdRecord): number => (data.length === 0 ? Dstat.UNIT_EXCEP : 0);

const readData: Handler = (turn) => {
  mayRead(turn, ordinary);
  const { arm } = turn;
  if (arm.orientation === "count" || arm.orientation === "key") return sendData(turn, arm.record);
  return after(nextRecord(turn), (record) => sendData(turn, record));
};

function sendData(turn: Turn, record: CkdRecord): Answer<number> {
  turn.arm.orientation = "data";
  const sent = turn.data.send(record.data);
  return sent instanceof Promise ? sent.then(() => markStatus(record)) : markStatus(record);
}

const readKeyData: Handler = async (turn) => {
  mayRead(turn, ["read-data", "read"]);
  const { arm } = turn;
  if (arm.orientation !== "count") await nextRecord(turn);
  const { record } = arm;
  arm.orientation = "data";
  await turn.data.send(joined(record.key, record.data));
  return markStatus(record);
};

const readCount: Handler = async (turn) => {
  mayRead(turn, ordinary);
  await turn.data.send(countBytes(await nextRecord(turn)));
  return 0;
};

const readCountKeyData: Handler = async (turn) => {
  mayRead(turn, ordinary);
  const record = await nextRecord(turn);
  turn.arm.orientation = "data";
  await turn.data.send(joined(countBytes(record), record.key, record.data));
  return markStatus(record);
};

/** All records that are left on the track, except record zero. */
const readMultiple: Handler = async (turn) => {
  mayRead(turn, ["read-data", "read"]);
  const first = await nextRecord(turn);
  const { records } = await turn.arm.content();
  const rest = records.slice(records.indexOf(first));
  await turn.arm.toEnd();
  await turn.data.send(joined(...rest.flatMap((record) => [countBytes(record), record.key, record.data])));
  return 0;
};

const readRecordZero: Handler = async (turn) => {
  mayRead(turn, ["read-data", "read"]);
  await toTrackStart(turn);
  const record = await nextRecord(turn, "counts");
  turn.arm.orientation = "data";
  await turn.data.send(joined(countBytes(record), record.key, record.data));
  return markStatus(record);
};

const readHomeAddress: Handler = async (turn) => {
  mayRead(turn, ["read-data", "read"]);
  await toTrackStart(turn);
  const bytes = encodeTrack(await turn.arm.content());
  await turn.data.send(bytes.subarray(0, homeAddressSize));
  return 0;
};

/** A multi-track command outside of a domain begins on the next track. */
async function toTrackStart(turn: Turn): Promise<void> {
  if (severalTracks(turn.command) === "several" && !turn.program.inDomain)
    await turn.arm.advance(turn.program.extent, "outside");
  turn.arm.toIndex();
}

/** All of a track from record zero on, with the mark that ends it. */
const readTrack: Handler = async (turn) => {
  const { program, arm } = turn;
  const { domain } = program;
  if (!program.inDomain || domain === undefined) throw commandReject("invalidSequence");
  if (domain.operation === "read-trackset") {
    const wanted = domain.tracks[program.tracksRead] as number;
    if (wanted !== arm.track) await arm.advance(program.extent, "inside", wanted);
  } else if (domain.operation !== "read-tracks") throw commandReject("invalidSequence");
  else if (program.tracksRead > 0) await arm.advance(program.extent, "inside");
  program.tracksRead += 1;
  const bytes = encodeTrack(await arm.content());
  await arm.toEnd();
  await turn.data.send(bytes.subarray(homeAddressSize));
  return 0;
};

/** The first record of the first track, wherever the arm is. */
const readIpl: Handler = async (turn) => {
  const { program, arm } = turn;
  if (program.bounds !== "default" || program.inDomain) throw commandReject("invalidSequence");
  await arm.seek(0);
  program.positioned = "read-ipl";
  return readData(turn);
};

/** Where the disk turns to is nobody's business here: sector 0. */
const readSector: Handler = async (turn) => {
  if (turn.program.inDomain) throw commandReject("invalidSequence");
  await turn.data.send(Uint8Array.of(0));
  return 0;
};

export const readCommands: Handlers = {
  2: readIpl,
  6: readData,
  134: readData,
  14: readKeyData,
  142: readKeyData,
  18: readCount,
  146: readCount,
  22: readRecordZero,
  150: readRecordZero,
  26: readHomeAddress,
  154: readHomeAddress,
  30: readCountKeyData,
  158: readCountKeyData,
  34: readSector,
  162: readSector,
  94: readMultiple,
  222: readTrack,
};
