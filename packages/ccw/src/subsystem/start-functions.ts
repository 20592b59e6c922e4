/** Carries start functions out, each in a task of its own, and makes status of how they end. */
import { Actl, Cstat, Dstat, Fctl, type Orb, type Scsw, Stctl } from "parhelion-buses";
import { invoke, isKernelError, type Named, noDeadline, type Runtime } from "parhelion-core";
import type { Conclusion, Ended, Intermediate, Suspended } from "../interpreter/conclusion.js";
import { startControls } from "../interpreter/controls.js";
import type { ChannelDevice, Ending } from "../interpreter/device.js";
import { ChannelProgram } from "../interpreter/program.js";
import type { ChannelPath } from "../path/channel-path.js";
import type { SelectedPath } from "../path/installed-paths.js";
import type { MainStorage } from "../storage/storage.js";
import { Start } from "./start.js";
import { alert, isIntermediate, isPending, started } from "./status.js";
import type { Words } from "./words.js";

const ended = Stctl.PRIM | Stctl.SEC | Stctl.PEND;
const intermediate = Stctl.INTER | Stctl.PEND;

export class StartFunctions {
  readonly #runtime: Runtime;
  readonly #on: Named;
  readonly #words: Words;
  readonly #device: ChannelDevice;
  readonly #storage: MainStorage;
  /** Whatever has become of it. */
  #latest: Start | null = null;

  constructor(runtime: Runtime, on: Named, words: Words, device: ChannelDevice, storage: MainStorage) {
    this.#runtime = runtime;
    this.#on = on;
    this.#words = words;
    this.#device = device;
    this.#storage = storage;
  }

  begin(orb: Orb): void {
    const { scheduler } = this.#runtime;
    this.#words.scsw = started(orb, this.#words.scsw.actl & Actl.DEVACT);
    const start = new Start(this.#runtime, this.#on.name, orb, this.#storage, this.#latest);
    this.#latest = start;
    scheduler.spawn(`start function of ${this.#on.name}`, () => this.#run(start));
  }

  /** Takes the latest back. @returns false: it has begun */
  cancel(): boolean {
    if (this.#latest?.phase !== "pending") return false;
    this.#latest.end();
    return true;
  }

  /** The resume function, for whichever state the program is in. */
  resume(): void {
    if (this.#latest?.phase === "active") this.#latest.program?.resume();
    this.#latest?.changed.wake();
  }

  /** The halt function, at the moment at which it is signalled to the device; without effect if it is not asked for any more. */
  halt(): void {
    const { scsw } = this.#words;
    if ((scsw.actl & Actl.HALT_PEND) === 0) return;
    // What has ended first is reported, and the halt goes with it.
    if (isPending(scsw) && !isIntermediate(scsw)) return;
    this.#words.scsw = { ...scsw, actl: scsw.actl & ~Actl.HALT_PEND };
    const start = this.#latest;
    if (start?.phase === "active") start.program?.stop("halt");
    else if (start?.phase === "device end") this.#device.halt("halt");
    else this.#haltIdle(start);
  }

  /** Nothing of what there is reaches storage or status any more. */
  drop(): void {
    for (const start of this.#unfinished()) {
      start.storage.cut();
      start.end();
    }
  }

  /** Tells the device, and whoever executes its program, to end. */
  stop(): void {
    for (const start of this.#unfinished()) start.program?.stop("clear");
  }

  /** Waits until the tasks have ended. @returns false: they had their time */
  async settled(ms: number): Promise<boolean> {
    try {
      await this.#latest?.finished.wait({ deadline: this.#runtime.clock.now() + ms });
      return true;
    } catch (error) {
      if (isKernelError(error, "ETIMEDOUT")) return false;
      throw error;
    }
  }

  /** What uses that path ends with an interface control check. */
  pathLost(path: ChannelPath): void {
    for (const start of this.#unfinished()) {
      if (start.path?.path !== path) continue;
      start.connection = "lost";
      if (start.phase === "active" || start.phase === "device end") start.program?.stop("clear");
    }
  }

  /** The device has something to say that was not asked for. */
  unsolicited(dstat: number): void {
    const start = this.#latest;
    const { scsw } = this.#words;
    if (start?.phase === "pending" && scsw.fctl === Fctl.START && !isPending(scsw))
      this.#defer(start, { dstat });
    else this.#words.hold(dstat);
  }

  /** Nothing will end by itself, so the halt has its own status. */
  #haltIdle(start: Start | null): void {
    const suspended = start?.phase === "suspended" ? Stctl.PRIM : 0;
    if (start?.phase === "pending" && start.previous?.phase === "device end") this.#device.halt("halt");
    start?.end();
    this.#words.present({}, suspended | Stctl.PEND);
  }

  async #run(start: Start): Promise<void> {
    try {
      await this.#runtime.scheduler.yield("start function", this.#on);
      // One device, one program: what the one before has begun ends first.
      await start.previous?.finished.wait({ deadline: noDeadline });
      this.#uses();
      if (start.phase === "pending") await this.#execute(start);
    } finally {
      this.#uses();
      start.phase = "over";
      start.forget();
      start.finished.completeAll();
      this.#words.presentHeld();
    }
  }

  async #execute(start: Start): Promise<void> {
    const selected = this.#words.select(start.orb.lpm);
    if (selected === null) {
      start.phase = "over";
      const actl = this.#words.scsw.actl & ~Actl.START_PEND;
      this.#words.present({ cc: 3, pno: 1, actl }, Stctl.ALERT | ended);
      return;
    }
    const program = this.#program(start, selected);
    start.path = selected;
    start.program = program;
    for (;;) {
      this.#activate(start);
      const conclusion = await invoke(this.#runtime, "channel program", this.#on, () => program.run());
      this.#uses();
      if (start.now().phase === "over") return;
      if (conclusion.state !== "suspended" || start.now().connection === "lost") {
        return this.#conclude(start, conclusion);
      }
      this.#suspend(start, conclusion);
      await start.changed.wait(() => start.phase !== "suspended" || this.#resumed, { deadline: noDeadline });
      this.#uses();
      if (start.now().phase === "over") return;
      if (start.now().connection === "lost") return this.#conclude(start, conclusion);
    }
  }

  get #resumed(): boolean {
    return (this.#words.scsw.actl & Actl.RESUME_PEND) !== 0;
  }

  #program(start: Start, { path, mask }: SelectedPath): ChannelProgram {
    const program = new ChannelProgram(this.#runtime, {
      name: this.#on.name,
      controls: startControls(start.orb),
      storage: start.storage,
      device: this.#device,
      path: { chpid: path.chpid, mask },
      intermediate: (status) => this.#intermediate(start, status),
      resumed: () => this.#passed(start),
    });
    if (this.#resumed) program.resume();
    return program;
  }

  #activate(start: Start): void {
    const { scsw } = this.#words;
    const suspended = (scsw.actl & Actl.SUSPENDED) !== 0;
    const over = Actl.START_PEND | Actl.SUSPENDED | (suspended ? Actl.RESUME_PEND : 0);
    start.phase = "active";
    this.#words.scsw = { ...scsw, actl: (scsw.actl & ~over) | Actl.SCHACT | Actl.DEVACT };
  }

  #intermediate(start: Start, { reason, cpa }: Intermediate): void {
    this.#uses();
    if (start.phase !== "active") return;
    const { cstat } = this.#words.scsw;
    const change = reason === "pci" ? { cpa, cstat: cstat | Cstat.PCI } : { cpa, zcc: 1 };
    this.#words.present(change, intermediate);
  }

  /** The flag that a resume was meant for was passed: there may be another resume. */
  #passed(start: Start): void {
    this.#uses();
    const { scsw } = this.#words;
    if (start.phase === "active") this.#words.scsw = { ...scsw, actl: scsw.actl & ~Actl.RESUME_PEND };
  }

  #suspend(start: Start, { cpa, count, pci }: Suspended): void {
    const { cstat, ssi, fctl } = this.#words.scsw;
    start.phase = "suspended";
    this.#words.scsw = { ...this.#words.scsw, cpa, count, actl: this.#inactive | Actl.SUSPENDED };
    if (pci === "asked") this.#words.present({ cstat: cstat | Cstat.PCI }, intermediate);
    else if (ssi === 0) this.#words.present({}, intermediate);
    // A halt was signalled when the program had ended already.
    if ((fctl & Fctl.HALT) !== 0 && (this.#words.scsw.actl & Actl.HALT_PEND) === 0) this.#haltIdle(start);
  }

  /** Activity control without what ends with the program. */
  get #inactive(): number {
    return this.#words.scsw.actl & ~(Actl.SCHACT | Actl.DEVACT | Actl.RESUME_PEND);
  }

  async #conclude(start: Start, conclusion: Conclusion): Promise<void> {
    const { cpa, count } = conclusion;
    if (start.connection === "lost") {
      const cstat = this.#words.scsw.cstat | Cstat.INTF_CTRL_CHK;
      const actl = this.#inactive & ~Actl.SUSPENDED;
      this.#words.present({ cpa, count, cstat, actl }, Stctl.ALERT | ended);
    } else if (conclusion.state === "ended") await this.#end(start, conclusion);
    else {
      const dstat = conclusion.state === "stopped" ? conclusion.dstat : 0;
      this.#words.present({ cpa, count, dstat, actl: this.#inactive }, alert(dstat, 0) | ended);
    }
  }

  async #end(start: Start, conclusion: Ended): Promise<void> {
    const { cpa, count, dstat, deferred, sense, deviceEnd } = conclusion;
    const cstat = this.#words.scsw.cstat | conclusion.cstat;
    const change = { cpa, count, dstat, cstat, actl: this.#inactive, ...this.#words.sensed(sense) };
    const unusual = alert(dstat, cstat);
    if (deferred === 1) this.#words.present({ ...change, cc: 1 }, Stctl.ALERT | Stctl.PEND);
    else if (deviceEnd === null) this.#words.present(change, unusual | ended);
    else await this.#awaitDevice(start, deviceEnd, change, unusual);
  }

  async #awaitDevice(
    start: Start,
    deviceEnd: () => Promise<Ending>,
    change: Partial<Scsw>,
    unusual: number,
  ): Promise<void> {
    start.phase = "device end";
    const actl = this.#inactive | Actl.DEVACT;
    this.#words.present({ ...change, actl }, unusual | Stctl.PRIM | Stctl.PEND);
    const ending = await invoke(this.#runtime, "device end", this.#on, () => this.#ending(deviceEnd));
    this.#uses();
    if (start.now().phase !== "over") this.#deviceEnd(start, ending);
  }

  async #ending(deviceEnd: () => Promise<Ending>): Promise<Ending> {
    try {
      return await deviceEnd();
    } catch (error) {
      this.#runtime.log("error", "ccw.device-failed", { subchannel: this.#on.name, error });
      return { status: 0, channelStatus: Cstat.INTF_CTRL_CHK };
    }
  }

  #deviceEnd(start: Start, { status, channelStatus, sense }: Ending): void {
    const { scsw } = this.#words;
    const lost = start.connection === "lost" ? Cstat.INTF_CTRL_CHK : 0;
    const cstat = scsw.cstat | (channelStatus ?? 0) | lost;
    const next = this.#latest === start ? null : this.#latest;
    start.phase = "over";
    const sensed = this.#words.sensed((status & Dstat.UNIT_CHECK) === 0 ? null : (sense ?? null));
    const change = { dstat: scsw.dstat | status, cstat, actl: scsw.actl & ~Actl.DEVACT, ...sensed };
    if (next?.phase === "pending" && scsw.fctl === Fctl.START) this.#defer(next, change);
    else this.#words.present(change, alert(status, cstat) | Stctl.SEC | Stctl.PEND);
  }

  /** The device has something to say before the start that waits for it: that start is not carried out. */
  #defer(start: Start, change: Partial<Scsw>): void {
    start.end();
    const actl = (change.actl ?? this.#words.scsw.actl) & Actl.DEVACT;
    this.#words.present({ ...change, cc: 1, actl }, Stctl.ALERT | Stctl.PEND);
  }

  *#unfinished(): Generator<Start> {
    this.#uses();
    for (let start = this.#latest; start !== null && !start.finished.done; ) {
      yield start;
      start = start.previous;
    }
  }

  #uses(): void {
    this.#runtime.scheduler.access(this.#on, "write");
  }
}
