/** One command's view: the program it is part of, the arm, and the way of its data. */

import type { Geometry } from "../image/geometry.js";
import type { Command, DataPath } from "../interpreter/device.js";
import { type Answer, after } from "../storage/answer.js";
import type { Arm } from "./arm.js";
import type { Disk } from "./disk.js";
import type { Locate } from "./domain.js";
import { type Extent, wholeDisk } from "./extent.js";
import { commandReject } from "./sense.js";

/** What commands of one channel program leave for those after them. */
export class ProgramState {
  extent: Extent;
  /** Who set the extent and mask; they can be set once. */
  bounds: "default" | "mask" | "extent" = "default";
  /** How the arm got to where it is; a read has to know. */
  positioned: "no" | "seek" | "locate" | "read-ipl" = "no";
  /** What matched last, with nothing between that moved the arm: a write begins there. */
  found: "nothing" | "home" | "id" | "key" | "written" = "nothing";
  domain: Locate | undefined;
  /** Commands that the domain still has. */
  remaining = 0;
  /** Position in the domain's set of tracks. */
  tracksRead = 0;
  previous: number | undefined;
  /** What perform subsystem function prepared for read subsystem data. */
  prepared: Uint8Array | undefined;
  wrote: "nothing" | "tracks" = "nothing";

  constructor(geometry: Geometry) {
    this.extent = wholeDisk(geometry);
  }

  get inDomain(): boolean {
    return this.remaining > 0;
  }
}

export interface Turn {
  readonly command: Command;
  readonly data: DataPath;
  readonly program: ProgramState;
  readonly arm: Arm;
  readonly disk: Disk;
}

/** Does a command; gives the status bits besides channel end and device end. @throws UnitCheck */
export type Handler = (turn: Turn) => Answer<number>;
export type Handlers = Readonly<Record<number, Handler>>;

export const multiTrack = 0x80;
export const severalTracks = (command: Command): "one" | "several" =>
  (command.code & multiTrack) !== 0 ? "several" : "one";

export const domainOf = ({ program }: Turn): "inside" | "outside" =>
  program.inDomain ? "inside" : "outside";

/** @throws UnitCheck command reject: invalid sequence */
export function outsideDomain({ program }: Turn): void {
  if (program.inDomain) throw commandReject("invalidSequence");
}

/** The channel gives no more of a command's data, and not because that was all: the command ends, and nothing is written. */
export class CutOff extends Error {
  override readonly name = "CutOff";
}

/** Exactly so many bytes. @throws UnitCheck command reject: the count is too small @throws CutOff */
export function receiveAll({ data }: Turn, length: number): Answer<Uint8Array> {
  return after(data.receive(length), (bytes) => {
    if (bytes.length < length) throw cutOff(data) ?? commandReject("countTooSmall");
    return bytes;
  });
}

/** Short data is made up with zeros, but not that of which the rest was cut off. @throws CutOff */
export function receivePadded({ data }: Turn, length: number): Answer<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  return after(data.receive(length), (bytes) => {
    if (bytes.length === length) return bytes;
    const cut = cutOff(data);
    if (cut !== null) throw cut;
    const padded = new Uint8Array(length);
    padded.set(bytes);
    return padded;
  });
}

function cutOff({ state }: DataPath): CutOff | null {
  return state === "cut" ? new CutOff("the channel gives no more data") : null;
}
