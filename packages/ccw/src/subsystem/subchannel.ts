/**
 * A subchannel of the machine, with the device behind it. Instructions change its words and answer at once; start, halt
 * and clear functions are then carried out by tasks of their own, as a channel does beside the processor. Conditions are
 * those of z/Architecture's Principles of Operation, chapters 14 to 16.
 */
import {
  Actl,
  type ConditionCode,
  Fctl,
  type Irb,
  type Orb,
  type Pmcw,
  type Schib,
  Stctl,
  type SubchannelId,
  subchannelName,
} from "parhelion-buses";
import { KernelError, type Named, type Runtime } from "parhelion-core";
import type { ChannelDevice } from "../interpreter/device.js";
import type { ChannelPath } from "../path/channel-path.js";
import type { InstalledPaths } from "../path/installed-paths.js";
import type { MainStorage } from "../storage/storage.js";
import type { Interruptions } from "./interruptions.js";
import { StartFunctions } from "./start-functions.js";
import { isIntermediate, isPending } from "./status.js";
import { Words } from "./words.js";

export interface MachineSubchannelInit {
  readonly id: SubchannelId;
  readonly device: ChannelDevice;
  readonly paths: InstalledPaths;
  /** What the PMCW says from the start and no instruction changes: dev, dnv, qf, st. */
  readonly fixed: Partial<Pmcw>;
  /** Default: a `Words`. */
  readonly makeWords?: (...of: ConstructorParameters<typeof Words>) => Words;
}

export interface SubchannelSurroundings {
  readonly storage: MainStorage;
  readonly interruptions: Interruptions;
  /** How long a clear waits for the device, in ms. */
  readonly clearMs: number;
}

export class MachineSubchannel implements Named {
  readonly id: SubchannelId;
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #device: ChannelDevice;
  readonly #clearMs: number;
  readonly #words: Words;
  readonly #starts: StartFunctions;
  /** Changes whenever all that goes on is given up; null once the subchannel is gone. */
  #era: object | null = {};

  constructor(runtime: Runtime, init: MachineSubchannelInit, around: SubchannelSurroundings) {
    const { id, device, paths, fixed, makeWords = (...of) => new Words(...of) } = init;
    this.id = id;
    this.name = `machine subchannel ${subchannelName(id)}`;
    this.#runtime = runtime;
    this.#device = device;
    this.#clearMs = around.clearMs;
    this.#words = makeWords(runtime, this, paths, fixed, around.interruptions);
    this.#starts = new StartFunctions(runtime, this, this.#words, device, around.storage);
    device.attached?.({ unsolicited: (status) => this.#unsolicited(status) });
  }

  stsch(): Schib {
    return this.#words.stsch();
  }

  msch(wanted: Schib): ConditionCode {
    return this.#words.msch(wanted);
  }

  tsch(): { readonly cc: 0 | 1 | 3; readonly irb: Irb | null } {
    return this.#words.tsch();
  }

  /** @throws KernelError EIO */
  ssch(orb: Orb): ConditionCode {
    assertValid(orb);
    const words = this.#words;
    if (!words.operational) return 3;
    if (isPending(words.scsw)) return 1;
    if (words.scsw.fctl !== 0) return 2;
    if ((orb.lpm & words.paths.pam) === 0) return 3;
    words.pmcw = { ...words.pmcw, intparm: orb.intparm, lpm: orb.lpm };
    this.#starts.begin(orb);
    return 0;
  }

  hsch(): ConditionCode {
    const words = this.#words;
    if (!words.operational) return 3;
    const { fctl, actl, stctl } = words.scsw;
    if (isPending(words.scsw) && !isIntermediate(words.scsw)) return 1;
    if ((fctl & (Fctl.HALT | Fctl.CLEAR)) !== 0) return 2;
    words.withdraw();
    words.scsw = {
      ...words.scsw,
      fctl: fctl | Fctl.HALT,
      actl: actl | Actl.HALT_PEND,
      stctl: stctl & ~(Stctl.PEND | Stctl.INTER),
    };
    this.#runtime.scheduler.spawn(`halt function of ${this.name}`, async () => {
      await this.#runtime.scheduler.yield("halt function", this);
      this.#uses();
      this.#starts.halt();
    });
    return 0;
  }

  csch(): 0 | 3 {
    if (!this.#words.operational) return 3;
    this.#starts.drop();
    this.#words.clear({ fctl: Fctl.CLEAR, actl: Actl.CLEAR_PEND });
    const era = {};
    this.#era = era;
    this.#runtime.scheduler.spawn(`clear function of ${this.name}`, () => this.#clear(era));
    return 0;
  }

  rsch(): ConditionCode {
    const words = this.#words;
    if (!words.operational) return 3;
    if (isPending(words.scsw)) return 1;
    const { fctl, actl, sctl } = words.scsw;
    if (fctl !== Fctl.START || (actl & Actl.RESUME_PEND) !== 0 || sctl === 0) return 2;
    words.scsw = { ...words.scsw, actl: actl | Actl.RESUME_PEND };
    this.#starts.resume();
    return 0;
  }

  xsch(): ConditionCode {
    const words = this.#words;
    if (!words.operational) return 3;
    if (isPending(words.scsw)) return 1;
    if (words.scsw.fctl !== Fctl.START || !this.#starts.cancel()) return 2;
    words.scsw = { ...words.scsw, fctl: 0, actl: words.scsw.actl & Actl.DEVACT };
    words.presentHeld();
    return 0;
  }

  /** That path is not available any more. */
  pathLost(path: ChannelPath): void {
    this.#starts.pathLost(path);
  }

  /** System reset: what runs ends, and nobody is told. */
  reset(after: "stays" | "gone"): void {
    this.#uses();
    this.#era = after === "gone" ? null : {};
    this.#starts.drop();
    this.#starts.stop();
    this.#words.reset();
    this.#device.reset?.();
  }

  async #clear(era: object): Promise<void> {
    await this.#runtime.scheduler.yield("clear function", this);
    this.#uses();
    if (this.#era !== era) return;
    this.#starts.stop();
    const settled = await this.#starts.settled(this.#clearMs);
    this.#uses();
    if (!settled) this.#runtime.log("warn", "ccw.clear-without-answer", { subchannel: this.name });
    if (this.#era !== era) return;
    this.#words.pmcw = { ...this.#words.pmcw, pnom: 0, pom: 0xff };
    this.#words.clear({ fctl: Fctl.CLEAR });
    this.#words.present({}, Stctl.PEND);
  }

  #unsolicited(status: number): void {
    this.#uses();
    if (this.#words.operational && this.#era !== null) this.#starts.unsolicited(status);
  }

  #uses(): void {
    this.#runtime.scheduler.access(this, "write");
  }
}

/** @throws KernelError EIO where the machine would say operand exception */
function assertValid(orb: Orb): void {
  if (orb.b === 1) throw operandException("transport mode is not installed");
  if (orb.zero !== 0 || orb.orbx !== 0) throw operandException("bits that must be zero are not");
  if (orb.cpa > 0x7fff_ffff) throw operandException("its channel program address has more than 31 bits");
}

function operandException(why: string): KernelError {
  return new KernelError("EIO", `operand exception of SSCH: ${why}`);
}
