/**
 * One start function: executes a channel program, from its first CCW to its end or to a suspension.
 *
 * Conditions are those of z/Architecture's Principles of Operation (chapters 15 and 16). Where it leaves the outcome to
 * the machine, this one is:
 * - CCWs and IDAWs are fetched when they are due, never before;
 * - a check while chaining commands comes with device status 0: the ending of the command before was used up;
 * - with a check the residual count is that of the last CCW in use, 0 when there was none;
 * - a program of more CCWs than the limit gets a program check: the architecture would let it loop until it is halted.
 */
import { Cstat, Dstat } from "parhelion-buses";
import type { Named, Runtime } from "parhelion-core";
import { type Answer, after, attempt } from "../storage/answer.js";
import type { MainStorage } from "../storage/storage.js";
import { type Ccw, ccwSize, commandClass, has, pastCcw } from "./ccw.js";
import { type ChannelCheck, checkOf } from "./check.js";
import type { Conclusion, Ended, Intermediate, Stopped } from "./conclusion.js";
import type { StartControls } from "./controls.js";
import { DataChain, type DataChainHooks } from "./data-chain.js";
import type { ChannelDevice, Command, CommandPath, DataPath, Ending } from "./device.js";
import { CcwFetcher, type FetchReason } from "./fetch.js";
import { hasIncorrectLength } from "./length.js";
import { Turns } from "./turns.js";

export interface ProgramLimits {
  /** CCWs of one start function, transfers included. Default 2^20. */
  readonly ccws?: number;
  /** How long it may keep the event loop, in ms. Default 4. */
  readonly turnMs?: number;
}

export interface ChannelProgramInit {
  readonly name: string;
  readonly controls: StartControls;
  readonly storage: MainStorage;
  readonly device: ChannelDevice;
  readonly path: CommandPath;
  readonly limits?: ProgramLimits;
  /** Told of status while the program goes on. Must not throw. */
  readonly intermediate?: (status: Intermediate) => void;
  /** Told that a resume function was carried out before there was a suspension. Must not throw. */
  readonly resumed?: () => void;
}

export class ChannelProgram implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #init: ChannelProgramInit;
  readonly #fetcher: CcwFetcher;
  readonly #turns: Turns;
  readonly #hooks: DataChainHooks;
  /** Where the next CCW is, and what brings us there. */
  #next: number;
  #reason: FetchReason = "start";
  /** Whether the device has had a command. */
  #commands: "none" | "some" = "none";
  /** Whether it is reported when the device accepts the command. */
  #initialStatus: "none" | "due" = "none";
  #cpa: number;
  #count = 0;
  #data: DataChain | null = null;
  #signal: "halt" | "clear" | null = null;
  #resume: "none" | "pending" = "none";

  constructor(runtime: Runtime, init: ChannelProgramInit) {
    const { controls, storage, limits } = init;
    this.name = `channel program ${init.name}`;
    this.#runtime = runtime;
    this.#init = init;
    this.#turns = new Turns(runtime, init.name, limits?.turnMs ?? 4);
    this.#fetcher = new CcwFetcher(controls, storage, this.#turns, limits?.ccws ?? 2 ** 20);
    this.#next = controls.cpa;
    this.#cpa = pastCcw(controls.cpa);
    this.#hooks = {
      looked: () => this.#runtime.scheduler.access(this, "read"),
      accepted: (ccw) => this.#accepted(ccw),
      interrupt: (ccw) => this.#interrupt(ccw),
      failed: (check) => this.#log(check),
    };
  }

  /**
   * Goes on until the program ends or is suspended; again after a suspension is the resume function, which fetches the
   * CCW anew and is suspended anew when it still has the flag. Never rejects.
   */
  async run(): Promise<Conclusion> {
    const conclusion = await this.#execute();
    return conclusion.state === "suspended" ? conclusion : this.#over(conclusion);
  }

  /** The resume function while the program is not suspended: the next suspend flag is looked at twice. */
  resume(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#resume = "pending";
  }

  /** Ends the program at the next CCW, and the command that waits for its device. `run` then answers "stopped". */
  stop(signal: "halt" | "clear"): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#signal === "clear") return;
    this.#signal = signal;
    this.#data?.close();
    this.#init.device.halt(signal);
  }

  /** Waits where there is something to wait for, and gives the others their turn by the clock; nothing else takes a promise. */
  async #execute(): Promise<Conclusion> {
    for (;;) {
      if (this.#turns.over) await this.#turns.pass();
      if (this.#stopping() !== null) return this.#stopped(0);
      let ccw: Ccw;
      try {
        const fetched = this.#fetcher.fetch(this.#next, this.#reason);
        ccw = fetched instanceof Promise ? await fetched : fetched;
      } catch (error) {
        return this.#checked(checkOf(error, null));
      }
      // The device was told to end what it did, and won't be told again.
      if (this.#stopping() !== null) return this.#stopped(0);
      const answer = has(ccw, "SUSPEND") ? this.#suspend(ccw) : this.#command(ccw);
      const conclusion = answer instanceof Promise ? await answer : answer;
      if (conclusion !== null) return conclusion;
    }
  }

  #suspend(ccw: Ccw): Conclusion | null {
    this.#reason = "resume";
    this.#next = ccw.address;
    this.#runtime.scheduler.access(this, "write");
    const pending = this.#resume === "pending";
    this.#resume = "none";
    if (pending) {
      this.#init.resumed?.();
      return null;
    }
    this.#cpa = pastCcw(ccw.address);
    this.#count = ccw.count;
    const pci = has(ccw, "PCI") ? "asked" : "not asked";
    return { state: "suspended", cpa: this.#cpa, count: this.#count, pci };
  }

  /** Null: the chain goes on at `#next`. */
  #command(first: Ccw): Answer<Conclusion | null> {
    const before = this.#commands;
    this.#commands = "some";
    const command = this.#describe(first, before);
    const { controls, storage, device } = this.#init;
    this.#initialStatus = before === "none" && controls.initialStatus === "reported" ? "due" : "none";
    const data = new DataChain(first, command.kind, controls, storage, this.#fetcher, this.#hooks);
    this.#data = data;
    const answer = this.#ask(device, command, data);
    return answer instanceof Promise
      ? answer.then((ending) => this.#answered(first, before, data, ending))
      : this.#answered(first, before, data, answer);
  }

  #answered(first: Ccw, before: "none" | "some", data: DataChain, ending: Ending): Answer<Conclusion | null> {
    data.close();
    this.#data = null;
    this.#cpa = data.cpa;
    this.#count = data.residual;
    if (this.#stopping() !== null) return this.#stopped(ending.status);
    const immediate = data.command === "offered" && (ending.status & Dstat.CHN_END) !== 0;
    if (immediate && has(first, "PCI")) this.#interrupt(first);
    let cstat = data.check | (ending.channelStatus ?? 0);
    if (data.command === "offered" && !immediate && ending.status !== 0) {
      return this.#ended(ending, cstat, before === "none" && cstat === 0 ? 1 : 0);
    }
    if (!isComplete(ending)) cstat |= Cstat.INTF_CTRL_CHK;
    if (cstat === 0 && hasIncorrectLength(data, ending.status, this.#init.controls)) cstat = Cstat.INCORR_LEN;
    if (cstat !== 0 || !has(data.ccw, "CC") || has(data.ccw, "CD") || !wentWell(ending)) {
      return this.#ended(ending, cstat, 0);
    }
    const { deviceEnd } = ending;
    if ((ending.status & Dstat.DEV_END) === 0 && deviceEnd !== undefined) {
      return this.#awaitDevice(data.ccw, ending, deviceEnd);
    }
    return this.#chain(data.ccw, ending.status);
  }

  async #awaitDevice(
    last: Ccw,
    { status }: Ending,
    deviceEnd: () => Promise<Ending>,
  ): Promise<Conclusion | null> {
    const later = await this.#answer(deviceEnd);
    if (this.#stopping() !== null) return this.#stopped(later.status);
    const ending = { ...later, status: later.status | (status & Dstat.STAT_MOD) };
    const cstat =
      (later.channelStatus ?? 0) | ((later.status & Dstat.DEV_END) === 0 ? Cstat.INTF_CTRL_CHK : 0);
    if (cstat !== 0 || !wentWell(ending)) return this.#ended(ending, cstat, 0);
    return this.#chain(last, ending.status);
  }

  #chain(last: Ccw, status: number): null {
    this.#next = last.address + ((status & Dstat.STAT_MOD) === 0 ? ccwSize : 2 * ccwSize);
    this.#reason = "command";
    return null;
  }

  #describe({ code }: Ccw, before: "none" | "some"): Command {
    // A code that is none was refused where the CCW was fetched.
    const kind = commandClass(code) ?? "control";
    return { code, kind, chained: before === "some", path: this.#init.path };
  }

  #accepted(ccw: Ccw): void {
    if (this.#initialStatus === "none") return;
    this.#init.intermediate?.({ reason: "initial-status", cpa: pastCcw(ccw.address) });
  }

  #interrupt(ccw: Ccw): void {
    this.#init.intermediate?.({ reason: "pci", cpa: pastCcw(ccw.address) });
  }

  #ask(device: ChannelDevice, command: Command, data: DataPath): Answer<Ending> {
    try {
      const answer = device.execute(command, data);
      return answer instanceof Promise ? answer.catch((error) => this.#failed(error)) : answer;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #answer(ask: () => Answer<Ending>): Answer<Ending> {
    return attempt(ask, (error) => this.#failed(error));
  }

  #failed(error: unknown): Ending {
    this.#runtime.log("error", "ccw.device-failed", { program: this.#init.name, error });
    return { status: 0, channelStatus: Cstat.INTF_CTRL_CHK };
  }

  #checked(check: ChannelCheck): Ended {
    this.#log(check);
    this.#cpa = check.cpa ?? this.#cpa;
    return this.#ended({ status: 0 }, check.cstat, 0);
  }

  #ended(ending: Ending, cstat: number, deferred: 0 | 1): Ended {
    const { status, sense, deviceEnd } = ending;
    const pending = (status & (Dstat.CHN_END | Dstat.DEV_END)) === Dstat.CHN_END && deviceEnd !== undefined;
    return {
      state: "ended",
      deferred,
      cpa: this.#cpa,
      dstat: status,
      cstat,
      count: this.#count,
      sense: (status & Dstat.UNIT_CHECK) !== 0 && sense !== undefined ? sense : null,
      deviceEnd: pending ? deviceEnd : null,
    };
  }

  /** By what it is being stopped; null: it may go on. */
  #stopping(): "halt" | "clear" | null {
    this.#runtime.scheduler.access(this, "read");
    return this.#signal;
  }

  #stopped(dstat: number): Stopped {
    const signal = this.#signal ?? "halt";
    return { state: "stopped", signal, cpa: this.#cpa, count: this.#count, dstat };
  }

  #log(check: ChannelCheck): void {
    const { message: why, cstat, cause } = check;
    const level = cause === undefined ? "debug" : "error";
    this.#runtime.log(level, "ccw.check", { program: this.#init.name, cstat, why });
  }

  async #over(conclusion: Ended | Stopped): Promise<Conclusion> {
    const { device } = this.#init;
    const ending = await this.#answer(() => after(device.programEnd?.(), (added) => added ?? nothingToAdd));
    if (conclusion.state === "stopped") return conclusion;
    return {
      ...conclusion,
      dstat: conclusion.dstat | ending.status,
      cstat: conclusion.cstat | (ending.channelStatus ?? 0),
      sense: ending.sense ?? conclusion.sense,
    };
  }
}

const nothingToAdd: Ending = { status: 0 };

/** Whether what must come with an ending is there or still to come. */
function isComplete({ status, deviceEnd }: Ending): boolean {
  return (status & Dstat.CHN_END) !== 0 && ((status & Dstat.DEV_END) !== 0 || deviceEnd !== undefined);
}

/** Whether commands may be chained to one that ended so. */
function wentWell({ status }: Ending): boolean {
  return (status & (Dstat.ATTENTION | Dstat.BUSY | Dstat.UNIT_CHECK | Dstat.UNIT_EXCEP)) === 0;
}
