/**
 * The machine's channel subsystem: subchannels with devices behind them, channel paths, and what it tells its software.
 * All of it is in memory; the devices are whatever is attached.
 */
import type {
  ConditionCode,
  Crw,
  CssMachine,
  Interruption,
  Irb,
  Orb,
  Schib,
  SubchannelId,
} from "parhelion-buses";
import { subchannelName } from "parhelion-buses";
import { KernelError, type Named, type Runtime } from "parhelion-core";
import { ChannelReports } from "../crw/channel-reports.js";
import type { ChannelDevice } from "../interpreter/device.js";
import { ChannelPath } from "../path/channel-path.js";
import { InstalledPaths } from "../path/installed-paths.js";
import type { MainStorage } from "../storage/storage.js";
import { Interruptions } from "./interruptions.js";
import { MachineSubchannel, type MachineSubchannelInit, type SubchannelSurroundings } from "./subchannel.js";

export interface ChannelSubsystemInit {
  /** What channel programs and their data are in. */
  readonly storage: MainStorage;
  /** Default 0. */
  readonly cssid?: number;
  /** Subchannel sets, 1 to 4. Default 4. */
  readonly sets?: number;
  /** Channel report words that are kept. Default 64. */
  readonly reportLimit?: number;
  /** How long a clear function waits for its device, in ms. Default 3 000, as long as Linux waits for it. */
  readonly clearMs?: number;
}

export interface AttachInit {
  readonly device: ChannelDevice;
  /** 0 to 65535. */
  readonly devno: number;
  /** 1 to 8 channel paths; those that there are not yet are made. */
  readonly chpids: readonly number[];
  /** Default 0. */
  readonly ssid?: number;
  /** Default: the lowest that is free. */
  readonly schno?: number;
  /** See SubchannelType. Default I/O. */
  readonly type?: number;
  /** Whether the subchannel has the QDIO facility. */
  readonly qdio?: boolean;
}

export class ChannelSubsystem implements CssMachine, Named {
  readonly name = "channel subsystem";
  readonly cssid: number;
  readonly #runtime: Runtime;
  readonly #storage: MainStorage;
  readonly #sets: number;
  readonly #clearMs: number;
  readonly #reports: ChannelReports;
  readonly #interruptions: Interruptions;
  readonly #subchannels = new Map<string, MachineSubchannel>();
  readonly #paths = new Map<number, ChannelPath>();

  /** @throws KernelError EINVAL more than 4 subchannel sets, or none */
  constructor(runtime: Runtime, init: ChannelSubsystemInit) {
    this.#runtime = runtime;
    this.#storage = init.storage;
    this.cssid = init.cssid ?? 0;
    this.#sets = init.sets ?? 4;
    this.#clearMs = init.clearMs ?? 3000;
    if (!inRange(this.#sets - 1, 4)) throw invalid(`${this.#sets} subchannel sets; there are 1 to 4`);
    const limit = init.reportLimit === undefined ? {} : { limit: init.reportLimit };
    this.#reports = new ChannelReports(runtime, { sets: this.#sets === 1 ? "one" : "several", ...limit });
    this.#interruptions = new Interruptions(runtime);
  }

  /**
   * Puts a device behind a subchannel, and reports it.
   * @throws KernelError EINVAL a number out of range, EEXIST the subchannel or the device number is taken, ENOSPC
   */
  attach(init: AttachInit): SubchannelId {
    const { device, devno, chpids, ssid = 0, type = 0 } = init;
    this.#uses("write");
    if (!inRange(devno, 0x1_0000)) throw invalid(`device number ${devno}; 0 to 65535`);
    if (!inRange(ssid, this.#sets)) throw invalid(`subchannel set ${ssid}; there are ${this.#sets}`);
    if (!inRange(type, 4)) throw invalid(`subchannel type ${type}; 0 to 3`);
    if (!inRange(chpids.length - 1, 8)) throw invalid(`${chpids.length} channel paths; 1 to 8`);
    if (new Set(chpids).size !== chpids.length)
      throw invalid(`channel paths ${chpids.join(", ")}: one is there twice`);
    const id = { cssid: this.cssid, ssid, schno: init.schno ?? this.#freeNumber(ssid) };
    const name = subchannelName(id);
    if (!inRange(id.schno, 0x1_0000)) throw invalid(`subchannel ${id.schno}; 0 to 65535`);
    if (this.#subchannels.has(name)) throw new KernelError("EEXIST", `subchannel ${name} has a device`);
    for (const other of this.#subchannels.values()) {
      if (other.id.ssid !== ssid || other.stsch().pmcw.dev !== devno) continue;
      throw new KernelError("EEXIST", `device number ${devno.toString(16)} is that of ${other.name}`);
    }
    const paths = new InstalledPaths(chpids.map((chpid) => this.path(chpid)));
    const fixed = { dev: devno, dnv: 1, st: type, qf: init.qdio === true ? 1 : 0 };
    const around = { storage: this.#storage, interruptions: this.#interruptions, clearMs: this.#clearMs };
    const subchannel = this.make({ id, device, paths, fixed }, around);
    this.#subchannels.set(name, subchannel);
    this.#reports.subchannel(id);
    return id;
  }

  /** Pulls the device out: what runs ends, and it is reported. @throws KernelError ENODEV there is none */
  detach(id: SubchannelId): void {
    this.#uses("write");
    const subchannel = this.#find(id);
    if (subchannel === undefined)
      throw new KernelError("ENODEV", `subchannel ${subchannelName(id)} has no device`);
    this.#subchannels.delete(subchannelName(id));
    subchannel.reset("gone");
    this.#reports.subchannel(id);
  }

  /** Made when it is first named. @throws KernelError EINVAL */
  path(chpid: number): ChannelPath {
    this.#uses("write");
    if (!inRange(chpid, 256)) throw invalid(`channel path ${chpid}; 0 to 255`);
    const there = this.#paths.get(chpid);
    if (there !== undefined) return there;
    const path = new ChannelPath(this.#runtime, chpid, {
      configured: (changed) => this.#configured(changed),
    });
    this.#paths.set(chpid, path);
    return path;
  }

  /** Ends everything that runs, and disables all subchannels; nothing is reported. */
  systemReset(): void {
    this.#uses("read");
    for (const subchannel of this.#subchannels.values()) subchannel.reset("stays");
    while (this.stcrw() !== null);
  }

  provided(): readonly SubchannelId[] {
    this.#uses("read");
    return [...this.#subchannels.values()].map(({ id }) => id);
  }

  stsch(id: SubchannelId): { readonly cc: 0 | 3; readonly schib: Schib | null } {
    const schib = this.#find(id)?.stsch() ?? null;
    return { cc: schib === null ? 3 : 0, schib };
  }

  msch(id: SubchannelId, schib: Schib): ConditionCode {
    return this.#find(id)?.msch(schib) ?? 3;
  }

  ssch(id: SubchannelId, orb: Orb): ConditionCode {
    return this.#find(id)?.ssch(orb) ?? 3;
  }

  tsch(id: SubchannelId): { readonly cc: 0 | 1 | 3; readonly irb: Irb | null } {
    return this.#find(id)?.tsch() ?? { cc: 3, irb: null };
  }

  hsch(id: SubchannelId): ConditionCode {
    return this.#find(id)?.hsch() ?? 3;
  }

  csch(id: SubchannelId): 0 | 3 {
    return this.#find(id)?.csch() ?? 3;
  }

  rsch(id: SubchannelId): ConditionCode {
    return this.#find(id)?.rsch() ?? 3;
  }

  xsch(id: SubchannelId): ConditionCode {
    return this.#find(id)?.xsch() ?? 3;
  }

  stcrw(): Crw | null {
    return this.#reports.take();
  }

  enableSubclasses(mask: number): void {
    this.#interruptions.enable(mask);
  }

  onInterruption(handler: ((interruption: Interruption) => void | Promise<void>) | null): void {
    this.#interruptions.onInterruption(handler);
  }

  onChannelReport(handler: (() => void) | null): void {
    this.#reports.onReport(handler);
  }

  #find(id: SubchannelId): MachineSubchannel | undefined {
    this.#uses("read");
    return this.#subchannels.get(subchannelName(id));
  }

  protected make(init: MachineSubchannelInit, around: SubchannelSurroundings): MachineSubchannel {
    return new MachineSubchannel(this.#runtime, init, around);
  }

  #freeNumber(ssid: number): number {
    for (let schno = 0; schno < 0x1_0000; schno += 1) {
      if (!this.#subchannels.has(subchannelName({ cssid: this.cssid, ssid, schno }))) return schno;
    }
    throw new KernelError("ENOSPC", `subchannel set ${ssid} is full; take another`);
  }

  #configured(path: ChannelPath): void {
    this.#uses("read");
    if (path.state === "not available") {
      for (const subchannel of this.#subchannels.values()) subchannel.pathLost(path);
    }
    this.#reports.path(path.chpid, path.state === "available" ? "ONLINE" : "OFFLINE");
  }

  #uses(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

function inRange(value: number, end: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < end;
}

function invalid(what: string): KernelError {
  return new KernelError("EINVAL", what);
}
