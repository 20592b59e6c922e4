/** The memory that a block device shares with its subchannel: channel programs, their orders, and the data of one transfer. */
import { CcwFlag, type Orb } from "parhelion-buses";
import type { SharedMemory } from "parhelion-vfio";
import { encodeCcw } from "../vfio-ccw/program/ccws.js";
import { blockBytes, orderBytes } from "./eckd.js";

/** One command of a channel program, and where its data is in the area. */
export interface AreaCommand {
  readonly code: number;
  readonly at: number;
  readonly count: number;
  /** The data goes on at other places. */
  readonly chained?: readonly { readonly at: number; readonly count: number }[];
  /** "may differ": from what the device has. Default "as said". */
  readonly length?: "as said" | "may differ";
}

/** What one transfer moves at most, in blocks: as many as commands fit in a domain, whole tracks. */
export const maxTransferBlocks = 252;

const ccwBytes = 8;
const pageBytes = 4096;
/** As many CCWs as may follow each other: 256. */
const programBytes = pageBytes;
const ordersAt = programBytes;
const countsAt = ordersAt + 16 * orderBytes;
const dataAt = ordersAt + pageBytes;

/** How much memory an area takes. @param blocks of one transfer */
export function areaBytes(blocks: number): number {
  return dataAt + blocks * blockBytes;
}

export class ProgramArea {
  readonly #memory: SharedMemory;
  readonly #address: number;

  /** @param memory `areaBytes` long @param address at which the device finds it, a multiple of the page size, below 2 GiB */
  constructor(memory: SharedMemory, address: number) {
    this.#memory = memory;
    this.#address = address;
  }

  /** Puts an order down. @param index 0 to 15 @returns where it is */
  order(index: number, bytes: Uint8Array): number {
    return this.#putAt(ordersAt + index * orderBytes, bytes);
  }

  /** Puts a record's count down. @param index of the block @returns where it is */
  count(index: number, bytes: Uint8Array): number {
    return this.#putAt(countsAt + index * 8, bytes);
  }

  /** Where a block's data is. */
  block(index: number): number {
    return dataAt + index * blockBytes;
  }

  /** Takes the data of the first blocks. @param into as many blocks as are wanted */
  takeBlocks(into: Uint8Array): void {
    this.#memory.read(dataAt, into);
  }

  /** Puts down the data of the first blocks. */
  putBlocks(bytes: Uint8Array): void {
    this.#memory.write(dataAt, bytes);
  }

  /** What stands somewhere. */
  take(at: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    this.#memory.read(at, bytes);
    return bytes;
  }

  put(at: number, bytes: Uint8Array): void {
    this.#memory.write(at, bytes);
  }

  /** Writes the channel program, chained from one command to the next. @returns what starts it */
  program(commands: readonly AreaCommand[]): Partial<Orb> {
    const bytes = new Uint8Array(this.end(commands) - this.#address);
    let end = 0;
    const view = new DataView(bytes.buffer);
    const put = (cmd: number, flags: number, at: number, count: number) => {
      encodeCcw(view, end, cmd, flags, count, this.#address + at);
      end += ccwBytes;
    };
    for (const [index, { code, at, count, length, chained = [] }] of commands.entries()) {
      const chain =
        (index + 1 < commands.length ? CcwFlag.CC : 0) | (length === "may differ" ? CcwFlag.SLI : 0);
      put(code, chained.length > 0 ? CcwFlag.CD : chain, at, count);
      for (const [part, place] of chained.entries()) {
        put(code, part + 1 < chained.length ? CcwFlag.CD : chain, place.at, place.count);
      }
    }
    this.put(0, bytes);
    return { fmt: 1, pfch: 1, cpa: this.#address, intparm: this.#address };
  }

  /** The address behind the program's last CCW. */
  end(commands: readonly AreaCommand[]): number {
    const ccws = commands.reduce((sum, { chained = [] }) => sum + 1 + chained.length, 0);
    return this.#address + ccws * ccwBytes;
  }

  #putAt(at: number, bytes: Uint8Array): number {
    this.put(at, bytes);
    return at;
  }
}
