/**
 * A subchannel of the machine, with the device behind it. Instructions change its words and answer at once; start, halt
 * and clear functions are then carried out by tasks of their own, as a channel does beside the processor. Conditions are
 * those of z/Architecture's Principles of Operation, chapters 14 to 16.
 */
import {
  Actl,
  type ConditionCode,
  Cstat,
  Dstat,
  erw,
  esw,
  Fctl,
  type Interruption,
  type Irb,
  irb,
  type Orb,
  type Pmcw,
  pmcw,
  type Schib,
  type Scsw,
  Stctl,
  type SubchannelId,
  schib,
  scsw,
  subchannelName,
} from "parhelion-buses";
import { invoke, isKernelError, KernelError, type Named, noDeadline, type Runtime } from "parhelion-core";
import type { Conclusion, Intermediate } from "../interpreter/conclusion.js";
import { startControls } from "../interpreter/controls.js";
import type { ChannelDevice, Ending } from "../interpreter/device.js";
import { ChannelProgram } from "../interpreter/program.js";
import type { ChannelPath } from "../path/channel-path.js";
import type { InstalledPaths, SelectedPath } from "../path/installed-paths.js";
import type { MainStorage } from "../storage/storage.js";
import type { Interruptions } from "./interruptions.js";
import { Start } from "./start.js";
import { alert, collected, isIntermediate, isPending, started } from "./status.js";

export interface MachineSubchannelInit {
  readonly id: SubchannelId;
  readonly device: ChannelDevice;
  readonly paths: InstalledPaths;
  /** What the PMCW says from the start and no instruction changes: dev, dnv, qf, st. */
  readonly fixed: Partial<Pmcw>;
}

export interface SubchannelSurroundings {
  readonly storage: MainStorage;
  readonly interruptions: Interruptions;
  /** How long a clear waits for the device, in ms. */
  readonly clearMs: number;
}

const sum = Stctl.PRIM | Stctl.SEC | Stctl.PEND;

export class MachineSubchannel implements Named {
  readonly id: SubchannelId;
  readonly name: string;
  readonly device: ChannelDevice;
  readonly paths: InstalledPaths;
  readonly #runtime: Runtime;
  readonly #around: SubchannelSurroundings;
  #pmcw: Pmcw;
  #scsw: Scsw = scsw.make();
  #mba = 0n;
  /** The latest, whatever has become of it. */
  #start: Start | null = null;
  /** Of the latest clear function; null once the subchannel is gone. */
  #clear: object | null = {};
  /** For the extended control word, until the status is collected. */
  #sense: Uint8Array | null = null;
  /** Status that the device wants to present and can't yet. */
  #held = 0;

  constructor(runtime: Runtime, init: MachineSubchannelInit, around: SubchannelSurroundings) {
    this.id = init.id;
    this.name = `machine subchannel ${subchannelName(init.id)}`;
    this.device = init.device;
    this.paths = init.paths;
    this.#runtime = runtime;
    this.#around = around;
    const { pim, chpids } = init.paths;
    this.#pmcw = pmcw.make({ ...init.fixed, pim, pom: 0xff, lpm: pim, chpid: chpids });
    init.device.attached?.({ unsolicited: (status) => this.#unsolicited(status) });
  }

  /** For the interruption that is pending. */
  get interruption(): Interruption {
    const { intparm, isc } = this.#pmcw;
    return { id: this.id, intparm, isc };
  }

  stsch(): Schib {
    this.#uses("read");
    return schib.make({
      pmcw: { ...this.#pmcw, pam: this.paths.pam },
      scsw: this.#scsw,
      mba: this.#mba,
    });
  }

  msch(wanted: Schib): ConditionCode {
    this.#uses("write");
    if (this.#pmcw.dnv === 0) return 0;
    if (isPending(this.#scsw)) return 1;
    if (this.#scsw.fctl !== 0) return 2;
    const { intparm, isc, ena, lm, mme, mp, lpm, pom, mbi, mbfc, xmwme, csense } = wanted.pmcw;
    this.#pmcw = { ...this.#pmcw, intparm, isc, ena, lm, mme, mp, lpm, pom, mbi, mbfc, xmwme, csense };
    this.#mba = wanted.mba;
    return 0;
  }

  /** @throws KernelError EIO */
  ssch(orb: Orb): ConditionCode {
    this.#uses("write");
    assertValid(orb);
    if (!this.#operational) return 3;
    if (isPending(this.#scsw)) return 1;
    if (this.#scsw.fctl !== 0) return 2;
    if ((orb.lpm & this.paths.pam) === 0) return 3;
    this.#pmcw = { ...this.#pmcw, intparm: orb.intparm, lpm: orb.lpm };
    this.#scsw = started(orb, this.#scsw.actl & Actl.DEVACT);
    const start = new Start(this.#runtime, this.name, orb, this.#around.storage, this.#start);
    this.#start = start;
    this.#runtime.scheduler.spawn(`start function of ${this.name}`, () => this.#run(start));
    return 0;
  }

  hsch(): ConditionCode {
    this.#uses("write");
    if (!this.#operational) return 3;
    if (isPending(this.#scsw) && !isIntermediate(this.#scsw)) return 1;
    if ((this.#scsw.fctl & (Fctl.HALT | Fctl.CLEAR)) !== 0) return 2;
    const { fctl, actl, stctl } = this.#scsw;
    this.#around.interruptions.remove(this);
    this.#scsw = {
      ...this.#scsw,
      fctl: fctl | Fctl.HALT,
      actl: actl | Actl.HALT_PEND,
      stctl: stctl & ~(Stctl.PEND | Stctl.INTER),
    };
    const clear = this.#clear;
    this.#runtime.scheduler.spawn(`halt function of ${this.name}`, async () => {
      await this.#runtime.scheduler.yield("halt function", this);
      this.#uses("write");
      if (this.#clear === clear) this.#halt();
    });
    return 0;
  }

  csch(): 0 | 3 {
    this.#uses("write");
    if (!this.#operational) return 3;
    this.#scsw = scsw.make({ fctl: Fctl.CLEAR, actl: Actl.CLEAR_PEND });
    this.#drop();
    const clear = {};
    this.#clear = clear;
    this.#runtime.scheduler.spawn(`clear function of ${this.name}`, () => this.#runClear(clear));
    return 0;
  }

  rsch(): ConditionCode {
    this.#uses("write");
    if (!this.#operational) return 3;
    if (isPending(this.#scsw)) return 1;
    const { fctl, actl, sctl } = this.#scsw;
    if (fctl !== Fctl.START || (actl & Actl.RESUME_PEND) !== 0 || sctl === 0) return 2;
    this.#scsw = { ...this.#scsw, actl: actl | Actl.RESUME_PEND };
    if (this.#start?.phase === "active") this.#start.program?.resume();
    this.#start?.changed.wake();
    return 0;
  }

  xsch(): ConditionCode {
    this.#uses("write");
    if (!this.#operational) return 3;
    if (isPending(this.#scsw)) return 1;
    if (this.#scsw.fctl !== Fctl.START || this.#start?.phase !== "pending") return 2;
    this.#start.end();
    this.#scsw = { ...this.#scsw, fctl: 0, actl: this.#scsw.actl & Actl.DEVACT };
    this.#presentHeld();
    return 0;
  }

  tsch(): { readonly cc: 0 | 1 | 3; readonly irb: Irb | null } {
    this.#uses("write");
    if (!this.#operational) return { cc: 3, irb: null };
    const sense = this.#sense ?? new Uint8Array(0);
    const answer = irb.make({
      scsw: this.#scsw,
      esw: esw.make({
        lpum: this.#pmcw.lpum,
        erw: erw.make({ cons: this.#scsw.ectl, scnt: sense.length }),
      }),
      ecw: Uint8Array.from({ length: 32 }, (_, at) => sense[at] ?? 0),
    });
    if (!isPending(this.#scsw)) return { cc: 1, irb: answer };
    this.#scsw = collected(this.#scsw);
    this.#sense = null;
    this.#around.interruptions.remove(this);
    this.#presentHeld();
    return { cc: 0, irb: answer };
  }

  /** That path is not available any more. */
  pathLost(path: ChannelPath): void {
    this.#uses("write");
    const start = this.#start;
    if (start === null || start.path?.path !== path) return;
    start.connection = "lost";
    if (start.phase === "active") start.program?.stop("clear");
    if (start.phase === "device end") this.device.halt("clear");
  }

  /** The device is pulled, or the system is reset: what runs ends, and nobody is told. */
  reset(after: "present" | "gone"): void {
    this.#uses("write");
    this.#drop();
    this.#signal("clear");
    this.#scsw = scsw.make();
    this.#clear = after === "gone" ? null : {};
    const { intparm, isc, ena, pom, pnom, lpum } = pmcw.make({ pom: 0xff });
    this.#pmcw = { ...this.#pmcw, intparm, isc, ena, pom, pnom, lpum };
    this.device.reset?.();
  }

  get #operational(): boolean {
    return this.#pmcw.dnv === 1 && this.#pmcw.ena === 1;
  }

  async #run(start: Start): Promise<void> {
    try {
      await this.#runtime.scheduler.yield("start function", this);
      // One device, one program: what the one before has begun ends first.
      await start.previous?.finished.wait({ deadline: noDeadline });
      this.#uses("write");
      if (start.phase === "pending") await this.#execute(start);
    } finally {
      this.#uses("write");
      start.phase = "over";
      start.finished.completeAll();
      this.#presentHeld();
    }
  }

  async #execute(start: Start): Promise<void> {
    const selected = this.#select(start.orb.lpm);
    if (selected === null) {
      start.phase = "over";
      const actl = this.#scsw.actl & ~Actl.START_PEND;
      return this.#present({ cc: 3, pno: 1, actl }, Stctl.ALERT | sum);
    }
    start.path = selected;
    start.program = this.#program(start, selected);
    this.#pmcw = { ...this.#pmcw, lpum: selected.mask };
    for (;;) {
      this.#activate(start);
      const { program } = start;
      const conclusion = await invoke(this.#runtime, "channel program", this, () => program.run());
      this.#uses("write");
      if (phaseOf(start) === "over") return;
      if (conclusion.state !== "suspended" || start.connection === "lost") {
        return this.#conclude(start, conclusion);
      }
      this.#suspend(start, conclusion);
      await start.changed.wait(() => start.phase !== "suspended" || this.#resumed, { deadline: noDeadline });
      this.#uses("write");
      if (phaseOf(start) === "over") return;
      if (connectionOf(start) === "lost") return this.#conclude(start, conclusion);
    }
  }

  get #resumed(): boolean {
    this.#uses("read");
    return (this.#scsw.actl & Actl.RESUME_PEND) !== 0;
  }

  #program(start: Start, { path, mask }: SelectedPath): ChannelProgram & { run(): Promise<Conclusion> } {
    const program = new ChannelProgram(this.#runtime, {
      name: subchannelName(this.id),
      controls: startControls(start.orb),
      storage: start.storage,
      device: this.device,
      path: { chpid: path.chpid, mask },
      intermediate: (status) => this.#intermediate(start, status),
    });
    if ((this.#scsw.actl & Actl.RESUME_PEND) !== 0) program.resume();
    return program;
  }

  #activate(start: Start): void {
    start.phase = "active";
    const kept = this.#scsw.actl & ~(Actl.START_PEND | Actl.SUSPENDED);
    const actl = (this.#scsw.actl & Actl.SUSPENDED) === 0 ? kept : kept & ~Actl.RESUME_PEND;
    this.#scsw = { ...this.#scsw, actl: actl | Actl.SCHACT | Actl.DEVACT };
  }

  /** Tries the paths in turn. What is found not to work is noted. */
  #select(lpm: number): SelectedPath | null {
    for (const selected of this.paths.inTurn(lpm & this.paths.pam, this.#pmcw.lpum)) {
      const { mask } = selected;
      const { pom, pnom } = this.#pmcw;
      if (selected.path.link === "up") {
        this.#pmcw = { ...this.#pmcw, pom: pom | mask, pnom: pnom & ~mask };
        return selected;
      }
      this.#pmcw = { ...this.#pmcw, pom: pom & ~mask, pnom: pnom | mask };
    }
    return null;
  }

  #intermediate(start: Start, { reason, cpa }: Intermediate): void {
    this.#uses("write");
    if (start.phase !== "active") return;
    const { cstat } = this.#scsw;
    const change = reason === "pci" ? { cpa, cstat: cstat | Cstat.PCI } : { cpa, zcc: 1 };
    this.#present(change, Stctl.INTER | Stctl.PEND);
  }

  #suspend(start: Start, conclusion: Extract<Conclusion, { state: "suspended" }>): void {
    const { cpa, count, pci } = conclusion;
    const { cstat, ssi } = this.#scsw;
    start.phase = "suspended";
    this.#scsw = { ...this.#scsw, cpa, count, actl: this.#inactive | Actl.SUSPENDED };
    if (pci === "asked") this.#present({ cstat: cstat | Cstat.PCI }, Stctl.INTER | Stctl.PEND);
    else if (ssi === 0) this.#present({}, Stctl.INTER | Stctl.PEND);
    // A halt that came too late for the program has it in its hands now.
    if ((this.#scsw.fctl & Fctl.HALT) !== 0 && (this.#scsw.actl & Actl.HALT_PEND) === 0) this.#halt();
  }

  /** Activity control without what is over when the program is. */
  get #inactive(): number {
    return this.#scsw.actl & ~(Actl.SCHACT | Actl.DEVACT | Actl.RESUME_PEND);
  }

  async #conclude(start: Start, conclusion: Conclusion): Promise<void> {
    const { cpa, count } = conclusion;
    if (start.connection === "lost") {
      const cstat = this.#scsw.cstat | Cstat.INTF_CTRL_CHK;
      return this.#present({ cpa, count, cstat, actl: this.#inactive & ~Actl.SUSPENDED }, Stctl.ALERT | sum);
    }
    if (conclusion.state !== "ended") {
      const dstat = conclusion.state === "stopped" ? conclusion.dstat : 0;
      return this.#present({ cpa, count, dstat, actl: this.#inactive }, alert(dstat, 0) | sum);
    }
    const { dstat, deferred, sense, deviceEnd } = conclusion;
    const cstat = this.#scsw.cstat | conclusion.cstat;
    const change = { cpa, count, dstat, cstat, actl: this.#inactive, ...this.#sensed(sense) };
    if (deferred === 1) return this.#present({ ...change, cc: 1 }, Stctl.ALERT | Stctl.PEND);
    if (deviceEnd === null) return this.#present(change, alert(dstat, cstat) | sum);
    start.phase = "device end";
    this.#present(
      { ...change, actl: this.#inactive | Actl.DEVACT },
      alert(dstat, cstat) | Stctl.PRIM | Stctl.PEND,
    );
    const ending = await invoke(this.#runtime, "device end", this, () => this.#ending(deviceEnd));
    this.#uses("write");
    if (phaseOf(start) !== "over") this.#deviceEnd(start, ending);
  }

  async #ending(deviceEnd: () => Promise<Ending>): Promise<Ending> {
    try {
      return await deviceEnd();
    } catch (error) {
      this.#runtime.log("error", "ccw.device-failed", { subchannel: this.name, error });
      return { status: 0, channelStatus: Cstat.INTF_CTRL_CHK };
    }
  }

  #deviceEnd(start: Start, { status, channelStatus, sense }: Ending): void {
    const lost = start.connection === "lost" ? Cstat.INTF_CTRL_CHK : 0;
    const cstat = (channelStatus ?? 0) | lost;
    const next = this.#start === start ? null : this.#start;
    start.phase = "over";
    const change = {
      dstat: this.#scsw.dstat | status,
      cstat: this.#scsw.cstat | cstat,
      actl: this.#inactive,
      ...this.#sensed((status & Dstat.UNIT_CHECK) === 0 ? null : (sense ?? null)),
    };
    if (next?.phase === "pending") return this.#defer(next, change);
    this.#present(change, alert(status, cstat) | Stctl.SEC | Stctl.PEND);
  }

  /** The device has something to say before the start that waits for it: that start is not carried out. */
  #defer(start: Start, change: Partial<Scsw>): void {
    start.end();
    this.#present({ ...change, cc: 1, actl: this.#scsw.actl & Actl.DEVACT }, Stctl.ALERT | Stctl.PEND);
  }

  #sensed(sense: Uint8Array | null): Partial<Scsw> {
    if (sense === null || this.#pmcw.csense === 0) return {};
    this.#sense = sense.slice(0, 32);
    return { ectl: 1 };
  }

  #halt(): void {
    if ((this.#scsw.fctl & Fctl.HALT) === 0) return;
    // What has ended first is reported, and the halt goes with it.
    if (isPending(this.#scsw) && !isIntermediate(this.#scsw)) return;
    this.#scsw = { ...this.#scsw, actl: this.#scsw.actl & ~Actl.HALT_PEND };
    const start = this.#start;
    switch (start?.phase ?? "over") {
      case "active":
        return start?.program?.stop("halt");
      case "device end":
        return this.device.halt("halt");
      case "suspended":
        start?.end();
        return this.#present({}, Stctl.PRIM | Stctl.PEND);
      case "pending":
        start?.end();
        if (start?.previous?.phase === "device end") this.device.halt("halt");
        return this.#present({}, Stctl.PEND);
      case "over":
        return this.#present({}, Stctl.PEND);
    }
  }

  async #runClear(clear: object): Promise<void> {
    await this.#runtime.scheduler.yield("clear function", this);
    this.#uses("write");
    if (this.#clear !== clear) return;
    this.#signal("clear");
    await this.#ended();
    this.#uses("write");
    if (this.#clear !== clear) return;
    this.#pmcw = { ...this.#pmcw, pnom: 0, pom: 0xff };
    this.#scsw = scsw.make({ fctl: Fctl.CLEAR });
    this.#present({}, Stctl.PEND);
  }

  /** Tells the device, and whoever executes its program. */
  #signal(signal: "clear"): void {
    for (let start = this.#start; start !== null && !start.finished.done; start = start.previous) {
      if (start.program !== null) start.program.stop(signal);
    }
  }

  /** The tasks of the starts there were have ended, or had their time. */
  async #ended(): Promise<void> {
    const start = this.#start;
    if (start === null) return;
    try {
      const deadline = this.#runtime.clock.now() + this.#around.clearMs;
      await start.finished.wait({ deadline });
    } catch (error) {
      if (!isKernelError(error, "ETIMEDOUT")) throw error;
      this.#runtime.log("warn", "ccw.clear-without-answer", { subchannel: this.name });
    }
  }

  /** Nothing of what runs is wanted any more. */
  #drop(): void {
    for (let start = this.#start; start !== null && !start.finished.done; start = start.previous) {
      start.storage.cut();
      start.end();
    }
    this.#sense = null;
    this.#held = 0;
    this.#around.interruptions.remove(this);
  }

  #unsolicited(status: number): void {
    this.#uses("write");
    if (!this.#operational || this.#clear === null) return;
    const start = this.#start;
    if (start?.phase === "pending" && this.#scsw.fctl === Fctl.START && !isPending(this.#scsw)) {
      return this.#defer(start, { dstat: status });
    }
    this.#held |= status;
    this.#presentHeld();
  }

  #presentHeld(): void {
    if (this.#held === 0 || this.#scsw.fctl !== 0 || isPending(this.#scsw)) return;
    if ((this.#scsw.actl & Actl.DEVACT) !== 0) return;
    const dstat = this.#held;
    this.#held = 0;
    this.#present({ dstat }, Stctl.ALERT | Stctl.PEND);
  }

  #present(change: Partial<Scsw>, stctl: number): void {
    this.#scsw = { ...this.#scsw, ...change, stctl: this.#scsw.stctl | stctl };
    this.#around.interruptions.add(this, this.#pmcw.isc);
  }

  #uses(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

/** What it is now, though somebody else may have changed it since it was last looked at. */
function phaseOf(start: Start): Start["phase"] {
  return start.phase;
}

function connectionOf(start: Start): Start["connection"] {
  return start.connection;
}

/** @throws KernelError EIO where the machine would say operand exception */
function assertValid(orb: Orb): void {
  const why =
    orb.b === 1
      ? "transport mode is not installed"
      : orb.zero !== 0 || orb.orbx !== 0
        ? "bits that must be zero are not"
        : orb.cpa > 0x7fff_ffff
          ? "its channel program address has more than 31 bits"
          : null;
  if (why !== null) throw new KernelError("EIO", `operand exception of SSCH: ${why}`);
}
