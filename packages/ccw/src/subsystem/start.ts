/** One start function, from the instruction to the device end. */
import type { Orb } from "parhelion-buses";
import { Completion, type Runtime, WaitQueue } from "parhelion-core";
import type { ChannelProgram } from "../interpreter/program.js";
import type { SelectedPath } from "../path/installed-paths.js";
import type { MainStorage } from "../storage/storage.js";
import { ProgramStorage } from "./program-storage.js";

/**
 * "pending": not begun. "device end": the channel is done, the device not yet. "over": whatever still comes of it is not
 * wanted, because it has ended, or was taken back, halted or cleared.
 */
export type StartPhase = "pending" | "active" | "suspended" | "device end" | "over";

export class Start {
  readonly orb: Orb;
  readonly storage: ProgramStorage;
  /** Woken when `phase` changes from outside, and for a resume. */
  readonly changed: WaitQueue;
  /** Its task has ended: nothing at all comes of it any more. */
  readonly finished: Completion;
  phase: StartPhase = "pending";
  path: SelectedPath | null = null;
  program: ChannelProgram | null = null;
  /** Whether its path went while it was used. */
  connection: "kept" | "lost" = "kept";
  #previous: Start | null;

  constructor(runtime: Runtime, name: string, orb: Orb, storage: MainStorage, before: Start | null) {
    this.orb = orb;
    this.storage = new ProgramStorage(runtime, name, storage);
    this.changed = new WaitQueue(runtime, `progress of a start of ${name}`);
    this.finished = new Completion(runtime, `end of a start of ${name}`);
    this.#previous = before !== null && !before.finished.done ? before : null;
  }

  /** The one before, if its task had not ended when this one came. */
  get previous(): Start | null {
    return this.#previous;
  }

  /** Itself, as it is after a wait: somebody else may have changed it. */
  now(): this {
    return this;
  }

  /** Nothing of it is wanted any more. */
  end(): void {
    this.phase = "over";
    this.changed.wake();
  }

  /** What came before is over. */
  forget(): void {
    this.#previous = null;
  }
}
