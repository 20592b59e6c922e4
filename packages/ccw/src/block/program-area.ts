/**
 * The memory that a block device shares with its subchannel: channel programs, their orders, and the data of one transfer.
 * It is the user's own, at an address that the user has mapped for the device.
 */
import { type Ccw1, CcwFlag, ccw1, type Orb } from "parhelion-buses";
import { blockBytes, orderBytes } from "./eckd.js";

/** One command of a channel program, and where its data is in the area. */
export interface AreaCommand {
  readonly code: number;
  readonly at: number;
  readonly count: number;
  /** The data goes on at other places. */
  readonly chained?: readonly { readonly at: number; readonly count: number }[];
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

export class ProgramArea {
  /** All of it: to be mapped. */
  readonly bytes: Uint8Array;
  readonly #address: number;

  /** @param address at which the device finds it, a multiple of the page size, below 2 GiB @param blocks of one transfer */
  constructor(address: number, blocks: number) {
    this.#address = address;
    this.bytes = new Uint8Array(dataAt + blocks * blockBytes);
  }

  /** Puts an order down. @param index 0 to 15 @returns where it is */
  order(index: number, bytes: Uint8Array): number {
    return this.#put(ordersAt + index * orderBytes, bytes);
  }

  /** Puts a record's count down. @param index of the block @returns where it is */
  count(index: number, bytes: Uint8Array): number {
    return this.#put(countsAt + index * 8, bytes);
  }

  /** Where a block's data is. */
  block(index: number): number {
    return dataAt + index * blockBytes;
  }

  /** The data of so many blocks. */
  blocks(count: number): Uint8Array {
    return this.bytes.subarray(dataAt, dataAt + count * blockBytes);
  }

  /** Writes the channel program, chained from one command to the next. @returns what starts it */
  program(commands: readonly AreaCommand[]): Partial<Orb> {
    const ccws: Ccw1[] = [];
    for (const [index, { code, at, count, chained = [] }] of commands.entries()) {
      const chain = index + 1 < commands.length ? CcwFlag.CC : 0;
      const parts = [{ at, count }, ...chained];
      for (const [part, place] of parts.entries()) {
        const flags = part + 1 < parts.length ? CcwFlag.CD : chain;
        ccws.push({ cmd: code, flags, count: place.count, cda: this.#address + place.at });
      }
    }
    for (const [index, ccw] of ccws.entries()) this.bytes.set(ccw1.encode(ccw), index * ccwBytes);
    return { fmt: 1, pfch: 1, cpa: this.#address, intparm: this.#address };
  }

  /** The address behind the program's last CCW. */
  end(commands: readonly AreaCommand[]): number {
    const ccws = commands.reduce((sum, { chained = [] }) => sum + 1 + chained.length, 0);
    return this.#address + ccws * ccwBytes;
  }

  #put(at: number, bytes: Uint8Array): number {
    this.bytes.set(bytes, at);
    return at;
  }
}
