/** Where CCWs come from: one after the other out of main storage, through transfers, with the checks made on the way. */
import { CcwFlag } from "parhelion-buses";
import { type Answer, after } from "../storage/answer.js";
import { type MainStorage, StorageFault } from "../storage/storage.js";
import { addressLimit, type Ccw, ccwSize, commandClass, decodeCcw, isTransfer, pastCcw } from "./ccw.js";
import { checkOf, programCheck } from "./check.js";
import type { StartControls } from "./controls.js";
import type { Turns } from "./turns.js";

/** What asks for a CCW: the start function, command chaining, the resume function, data chaining. */
export type FetchReason = "start" | "command" | "resume" | "data";

export class CcwFetcher {
  readonly #controls: StartControls;
  readonly #storage: MainStorage;
  readonly #turns: Turns;
  /** How many more may be fetched. */
  #left: number;

  constructor(controls: StartControls, storage: MainStorage, turns: Turns, limit: number) {
    this.#controls = controls;
    this.#storage = storage;
    this.#turns = turns;
    this.#left = limit;
  }

  /**
   * The CCW that is in effect at `address`: itself, or what a transfer in channel there leads to. One command may chain data
   * from as many CCWs as there are bytes: amid them, too, the others get their turn.
   * @throws ChannelCheck
   */
  fetch(address: number, reason: FetchReason): Answer<Ccw> {
    if (reason === "data" && this.#turns.over)
      return this.#turns.pass().then(() => this.#fetch(address, reason));
    return this.#fetch(address, reason);
  }

  #fetch(address: number, reason: FetchReason): Answer<Ccw> {
    const read = this.#read(address, pastCcw(address));
    return read instanceof Promise
      ? read.then((ccw) => this.#effective(ccw, reason))
      : this.#effective(read, reason);
  }

  #effective(ccw: Ccw, reason: FetchReason): Answer<Ccw> {
    const { format } = this.#controls;
    if (!isTransfer(ccw.code, format)) return this.#checked(ccw, reason);
    const past = pastCcw(ccw.address);
    if (reason === "start") throw programCheck(past, "the first CCW is a transfer in channel");
    if (format === 1 && (ccw.flags !== 0 || ccw.count !== 0)) {
      throw programCheck(past, "a transfer in channel of format 1 has flags or a count");
    }
    return after(this.#read(ccw.data, past), (target) => {
      if (!isTransfer(target.code, format)) return this.#checked(target, reason);
      throw programCheck(pastCcw(target.address), "a transfer in channel leads to another one");
    });
  }

  /** @param blame the channel program address when there is no CCW at `address` */
  #read(address: number, blame: number): Answer<Ccw> {
    if (this.#left === 0) throw programCheck(null, "the channel program is longer than the limit");
    this.#left -= 1;
    const { format, key } = this.#controls;
    if (address % ccwSize !== 0) throw programCheck(blame, "a CCW is not at a doubleword");
    if (address > addressLimit(format)) throw programCheck(blame, "a CCW is beyond what its format can name");
    const failed = (error: unknown): never => {
      // A protected CCW is one, so it is the one to point at; where there is none, what led there is.
      const exists = error instanceof StorageFault && error.code === "protected";
      throw checkOf(error, exists ? pastCcw(address) : blame);
    };
    try {
      const bytes = this.#storage.read(address, ccwSize, key);
      if (!(bytes instanceof Promise)) return decodeCcw(bytes, format, address);
      return bytes.then((read) => decodeCcw(read, format, address)).catch(failed);
    } catch (error) {
      return failed(error);
    }
  }

  #checked(ccw: Ccw, reason: FetchReason): Ccw {
    const wrong = this.#wrong(ccw, reason);
    if (wrong !== null) throw programCheck(pastCcw(ccw.address), wrong);
    return ccw;
  }

  #wrong(ccw: Ccw, reason: FetchReason): string | null {
    const { format, suspend } = this.#controls;
    if (ccw.count === 0 && (format === 0 || reason === "data" || (ccw.flags & CcwFlag.CD) !== 0)) {
      return "a count of zero where there must be one";
    }
    if ((ccw.flags & CcwFlag.MIDA) !== 0) return "modified indirect addressing is not provided";
    if (ccw.data > addressLimit(format)) return "bit 0 of the data address is one";
    if (reason !== "data" && commandClass(ccw.code) === null) return "the command code is not valid";
    if ((ccw.flags & CcwFlag.SUSPEND) === 0) return null;
    if (suspend === "refused") return "a suspend flag without suspend control";
    return reason === "data" || (ccw.flags & CcwFlag.CD) !== 0 ? "a suspend flag beside data chaining" : null;
  }
}
