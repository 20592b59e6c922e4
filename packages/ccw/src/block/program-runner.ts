/**
 * Runs channel programs to a good end, or says why there is none. What ended without having been done is done again: the
 * orders of this library can be carried out twice.
 */
import type { Irb, Orb } from "parhelion-buses";
import { type ErrnoCode, isKernelError, type Runtime } from "parhelion-core";
import { EckdCommand } from "./eckd.js";
import { BlockError } from "./error.js";
import { pause } from "./pause.js";
import type { AreaCommand, ProgramArea } from "./program-area.js";
import type { SubchannelUser } from "./subchannel-user.js";
import { mayPass, type Verdict, verdictOf } from "./verdict.js";

export interface RunnerOptions {
  /** How long one channel program may take, in ms. */
  readonly timeoutMs: number;
  /** How often it is run again. */
  readonly retries: number;
}

const senseBytes = 32;
/** Waits between two tries grow up to this, in ms. */
const maxPauseMs = 200;

/** What the subchannel refuses for the moment, or until a path comes back. */
const passing: readonly ErrnoCode[] = ["EAGAIN", "EBUSY", "EACCES", "EIO", "ECANCELED", "ENODEV"];

/** What a try has failed with, and whether another one may help. */
interface Failure {
  readonly error: BlockError;
  readonly again: "yes" | "no";
}

type Ended = { readonly irb: Irb } | { readonly refused: ErrnoCode; readonly error: unknown };

export class ProgramRunner {
  readonly #runtime: Runtime;
  readonly #user: SubchannelUser;
  readonly #area: ProgramArea;
  readonly #options: RunnerOptions;

  constructor(runtime: Runtime, user: SubchannelUser, area: ProgramArea, options: RunnerOptions) {
    this.#runtime = runtime;
    this.#user = user;
    this.#area = area;
    this.#options = options;
  }

  /** @param what for people @throws BlockError */
  async run(what: string, commands: readonly AreaCommand[]): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const ended = await this.#once(what, commands);
      const failure = await this.#outcome(what, commands, ended);
      if (failure === null) return;
      if (failure.again === "no" || attempt >= this.#options.retries) throw failure.error;
      await pause(this.#runtime, Math.min(2 ** (attempt + 1), maxPauseMs));
    }
  }

  /** @returns null when it has been done */
  async #outcome(what: string, commands: readonly AreaCommand[], ended: Ended): Promise<Failure | null> {
    if ("refused" in ended) {
      const error = this.#refusal(what, ended);
      const gone = error.code === "block-gone" || error.code === "block-closed";
      return { error, again: gone ? "no" : "yes" };
    }
    const verdict = verdictOf(ended.irb, this.#area.end(commands));
    if (verdict.kind === "done") return null;
    const error = await this.#failure(what, verdict, ended.irb);
    const lasting = verdict.kind === "unit check" && !mayPass(error.sense ?? new Uint8Array());
    return { error, again: lasting ? "no" : "yes" };
  }

  /** @throws BlockError what no other try can mend */
  async #once(what: string, commands: readonly AreaCommand[]): Promise<Ended> {
    const deadline = this.#runtime.clock.now() + this.#options.timeoutMs;
    try {
      return { irb: await this.#user.run(this.#orb(commands), deadline) };
    } catch (error) {
      if (!isKernelError(error)) throw error;
      const { code } = error;
      if (code === "ETIMEDOUT") {
        const message = `${what}: no end within ${this.#options.timeoutMs} ms`;
        throw new BlockError("block-timeout", message, { cause: error });
      }
      if (passing.includes(code)) return { refused: code, error };
      throw new BlockError("block-refused", `${what}: ${error.message}`, { cause: error });
    }
  }

  #orb(commands: readonly AreaCommand[]): Partial<Orb> {
    return this.#area.program(commands);
  }

  #refusal(what: string, { refused, error }: { refused: ErrnoCode; error: unknown }): BlockError {
    const details = { cause: error };
    const { state } = this.#user;
    if (state === "lost") return new BlockError("block-gone", `${what}: the device was taken away`, details);
    if (state === "closed") return new BlockError("block-closed", `${what}: it was closed`, details);
    if (refused === "ENODEV" || refused === "EACCES")
      return new BlockError("block-no-path", `${what}: no channel path leads to the device`, details);
    return new BlockError("block-refused", `${what}: the subchannel answers ${refused}`, details);
  }

  async #failure(what: string, verdict: Verdict, irb: Irb): Promise<BlockError> {
    switch (verdict.kind) {
      case "unit check": {
        const sense = await this.#sense(irb);
        return new BlockError("block-unit-check", `${what}: the device says ${hex(sense)}`, { sense });
      }
      case "no path":
        return new BlockError("block-no-path", `${what}: the path did not work`);
      case "channel":
        return new BlockError("block-channel", `${what}: ${verdict.why}`);
      case "again":
        return new BlockError("block-refused", `${what}: ${verdict.why}, again and again`);
      case "busy":
      case "done":
        return new BlockError("block-refused", `${what}: the device is busy`);
    }
  }

  /** Out of the status if the device gave it along, else by asking. */
  async #sense({ esw, ecw }: Irb): Promise<Uint8Array> {
    if (esw.erw.cons === 1) return ecw.slice(0, esw.erw.scnt);
    const at = this.#area.block(0);
    const before = this.#area.take(at, senseBytes);
    try {
      await this.#once("sense", [{ code: EckdCommand.basicSense, at, count: senseBytes }]);
      return this.#area.take(at, senseBytes);
    } finally {
      // What is to be written, if it is tried again, stood there.
      this.#area.put(at, before);
    }
  }
}

function hex(bytes: Uint8Array): string {
  return bytes.length === 0 ? "nothing" : Buffer.from(bytes.subarray(0, 24)).toString("hex");
}
