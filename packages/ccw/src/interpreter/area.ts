/** The storage area that a CCW designates, run by run: one run of addresses, or one for each IDAW. */
import { CcwFlag } from "parhelion-buses";
import type { Answer } from "../storage/answer.js";
import { type MainStorage, storageBlock } from "../storage/storage.js";
import { addressLimit, type Ccw, word } from "./ccw.js";
import { checkOf, programCheck } from "./check.js";
import type { StartControls } from "./controls.js";

export type Direction = "up" | "down";

/** Contiguous bytes, `address` the lowest. */
export interface Run {
  readonly address: number;
  readonly length: number;
}

export class StorageArea {
  readonly #controls: StartControls;
  readonly #storage: MainStorage;
  readonly #direction: Direction;
  /** Where the next IDAW is; null: addressed directly. */
  #list: number | null;
  /** The next byte, and how many from it on are contiguous. With IDAWs nothing is known before the first is read. */
  #at = 0;
  #left = 0;
  #words: "none read" | "some read" = "none read";

  constructor(ccw: Ccw, direction: Direction, controls: StartControls, storage: MainStorage) {
    this.#controls = controls;
    this.#storage = storage;
    this.#direction = direction;
    this.#list = (ccw.flags & CcwFlag.IDA) === 0 ? null : ccw.data;
    if (this.#list !== null) return;
    this.#at = ccw.data;
    this.#left = direction === "up" ? addressLimit(controls.format) + 1 - ccw.data : ccw.data + 1;
  }

  /**
   * The next run, of at most `length` bytes and at least one; it stays the next one until `advance`.
   * Downwards a run stays within a block of storage, so that it can be accessed either wholly or not at all.
   * @throws ChannelCheck
   */
  next(length: number): Answer<Run> {
    if (this.#left > 0) return this.#run(length);
    const read = this.#word();
    return read instanceof Promise ? read.then(() => this.#run(length)) : this.#run(length);
  }

  advance(length: number): void {
    this.#at += this.#direction === "up" ? length : -length;
    this.#left -= length;
  }

  #run(length: number): Run {
    const reach = Math.min(length, this.#left);
    if (this.#direction === "up") return { address: this.#at, length: reach };
    const within = Math.min(reach, (this.#at % storageBlock) + 1);
    return { address: this.#at - within + 1, length: within };
  }

  #word(): Answer<void> {
    const at = this.#list;
    if (at === null) throw programCheck(null, "the data goes beyond what the format can name");
    const size = this.#controls.idawFormat === 2 ? 8 : 4;
    if (at % size !== 0) throw programCheck(null, "an IDAW is not on its boundary");
    if (at > addressLimit(this.#controls.format))
      throw programCheck(null, "an IDAW is beyond what the format can name");
    const failed = (error: unknown): never => {
      throw checkOf(error, null);
    };
    try {
      const bytes = this.#storage.read(at, size, this.#controls.key);
      if (!(bytes instanceof Promise)) return this.#follow(at, addressIn(bytes, size));
      return bytes.then((read) => this.#follow(at, addressIn(read, size))).catch(failed);
    } catch (error) {
      return failed(error);
    }
  }

  /** To where the IDAW leads. */
  #follow(at: number, address: number): void {
    const { idawFormat, idawBlock } = this.#controls;
    const offset = this.#direction === "up" ? address % idawBlock : (address + 1) % idawBlock;
    if (this.#words === "some read" && offset !== 0) {
      throw programCheck(null, "an IDAW after the first is not on a block boundary");
    }
    this.#list = at + (idawFormat === 2 ? 8 : 4);
    this.#words = "some read";
    this.#at = address;
    this.#left = this.#direction === "up" ? idawBlock - offset : (address % idawBlock) + 1;
  }
}

/** @throws ChannelCheck */
function addressIn(bytes: Uint8Array, size: number): number {
  const first = word(bytes, 0);
  // No storage has addresses that a number can't hold exactly.
  if (size === 8 && first >= 2 ** 21) throw programCheck(null, "an IDAW is beyond all storage");
  if (size === 8) return first * 2 ** 32 + word(bytes, 4);
  if (first > addressLimit(1)) throw programCheck(null, "bit 0 of an IDAW is one");
  return first;
}
