/** The engine's end of a command stream: takes records from the ring and carries them out. */
import type { RingReader } from "../carrier/port.js";
import { isProtocolError, ProtocolError } from "../error.js";
import { Cursor } from "./cursor.js";
import { CommandDeferred } from "./deferred.js";
import { FRAGMENT_OPCODE, FragmentAssembler } from "./fragment.js";
import { COMMAND_INFO, replayRecord } from "./generated/replay.js";
import type { SpecialCommands } from "./generated/special-commands.js";
import { MAX_ASSEMBLED_RECORD } from "./limits.js";
import { ObjectLimitError, type ObjectTable } from "./object-table.js";
import { RecordViews } from "./record-views.js";

type Outcome = "done" | "deferred";

export interface ReplayerOptions {
  /** Bytes of the largest record put together from fragments; MAX_ASSEMBLED_RECORD when not given. */
  readonly maxAssembled?: number;
}

export class Replayer {
  readonly #rx: RingReader;
  readonly #objects: ObjectTable;
  readonly #special: SpecialCommands;
  readonly #ring: RecordViews;
  readonly #cursor: Cursor;
  readonly #fragments: FragmentAssembler;
  /** The record that is to be carried out before any other. */
  #held: { readonly views: RecordViews; readonly i: number; readonly bytes: number } | undefined;

  constructor(rx: RingReader, objects: ObjectTable, special: SpecialCommands, options: ReplayerOptions = {}) {
    this.#rx = rx;
    this.#objects = objects;
    this.#special = special;
    this.#ring = new RecordViews(rx.u8.buffer, rx.u8.byteOffset, rx.u8.byteLength);
    this.#cursor = new Cursor(this.#ring, objects);
    this.#fragments = new FragmentAssembler(options.maxAssembled ?? MAX_ASSEMBLED_RECORD);
  }

  /** Whether a command asked to be carried out later: the next `replay` begins with it. */
  get deferred(): boolean {
    return this.#held !== undefined;
  }

  /**
   * Carries out what has been published, at most `maxRecords` records.
   * @returns how many it took: fewer than `maxRecords` when the ring is empty or a command is `deferred`
   * @throws ProtocolError: the writer broke the protocol, close the queue
   */
  replay(maxRecords: number): number {
    let count = 0;
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      if (this.#carryOut(held.views, held.i, held.bytes) === "deferred") return 0;
      this.#rx.done();
      count = 1;
    }
    while (count < maxRecords) {
      const i = this.#rx.next();
      if (i < 0) break;
      if (this.#record(i, this.#rx.recordBytes) === "deferred") break;
      count += 1;
      this.#rx.done();
    }
    return count;
  }

  #record(i: number, bytes: number): Outcome {
    const views = this.#ring;
    const opcode = views.u32[i + 1]! & 0xffff;
    if (opcode === FRAGMENT_OPCODE) {
      const whole = this.#fragments.add(views, i, bytes);
      return whole === undefined ? "done" : this.#carryOut(whole, 0, whole.u8.length);
    }
    if (this.#fragments.pending)
      throw new ProtocolError("bad-fragment", `opcode ${opcode} between two fragments`);
    return this.#carryOut(views, i, bytes);
  }

  #carryOut(views: RecordViews, i: number, bytes: number): Outcome {
    try {
      if (this.#objects.size >= this.#objects.capacity) this.#refuseToCreate(views.u32[i + 1]! & 0xffff);
      replayRecord(this.#objects, this.#special, this.#cursor, views, i, bytes);
    } catch (error) {
      if (isProtocolError(error)) throw error;
      if (error instanceof CommandDeferred) {
        this.#held = { views, i, bytes };
        return "deferred";
      }
      this.#failed(views, i, bytes, error);
    }
    return "done";
  }

  #refuseToCreate(opcode: number): void {
    if (COMMAND_INFO.get(opcode)?.created === undefined) return;
    throw new ObjectLimitError(`${this.#objects.size} objects are alive, ${this.#objects.capacity} may be`);
  }

  /** The handle that the command would have given an object is taken: what uses it later is skipped, not a violation. */
  #failed(views: RecordViews, i: number, bytes: number, error: unknown): void {
    const opcode = views.u32[i + 1]! & 0xffff;
    const info = COMMAND_INFO.get(opcode);
    if (info === undefined) throw error;
    const { name, created, requestWord } = info;
    if (created !== undefined && bytes >= 16) this.#objects.fail(views.u32[i + 3]!, created);
    const request =
      requestWord !== undefined && bytes >= (requestWord + 1) * 4 ? views.u32[i + requestWord] : undefined;
    this.#special.commandFailed({ command: name, opcode, request, error });
  }
}
