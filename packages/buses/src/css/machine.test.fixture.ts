/**
 * A channel subsystem as small as the bus can do with: subchannels come, go and interrupt when they are told to, and
 * starts never end by themselves. The real one is in a package above.
 */
import type { Named, Runtime } from "parhelion-core";
import {
  Actl,
  type ConditionCode,
  type Crw,
  type CssMachine,
  crw,
  Erc,
  Fctl,
  type Interruption,
  type Irb,
  irb,
  type Pmcw,
  pmcw,
  Rsc,
  type Schib,
  type Scsw,
  Stctl,
  type SubchannelId,
  schib,
  scsw,
  subchannelName,
} from "./index.js";

interface Entry {
  readonly id: SubchannelId;
  pmcw: Pmcw;
  scsw: Scsw;
}

export const idOf = (schno: number): SubchannelId => ({ cssid: 0, ssid: 0, schno });

export class SmallMachine implements CssMachine, Named {
  readonly name = "machine";
  /** What the halt, clear and cancel instructions answer next, where it is not what they would. */
  refuses: { hsch?: ConditionCode; csch?: 0 | 3; xsch?: ConditionCode; ssch?: ConditionCode } = {};
  readonly asked: string[] = [];
  readonly #runtime: Runtime;
  readonly #limit: number;
  readonly #overflow: "marked" | "silent";
  readonly #entries = new Map<string, Entry>();
  readonly #reports: Crw[] = [];
  #reported: (() => void) | null = null;
  #handler: ((interruption: Interruption) => void | Promise<void>) | null = null;

  /** @param limit of reports that are kept @param overflow what becomes of the fact that others were lost */
  constructor(runtime: Runtime, limit = 16, overflow: "marked" | "silent" = "marked") {
    this.#runtime = runtime;
    this.#limit = limit;
    this.#overflow = overflow;
  }

  /** A device appears behind a subchannel, instead of what is there. */
  plug(schno: number, change: Partial<Pmcw> = {}): void {
    this.#uses();
    const paths = { pim: 0xc0, pam: 0xc0, pom: 0xff, chpid: Uint8Array.of(0x40, 0x41, 0, 0, 0, 0, 0, 0) };
    const made = pmcw.make({ dnv: 1, dev: schno, ...paths, ...change });
    this.#entries.set(subchannelName(idOf(schno)), { id: idOf(schno), pmcw: made, scsw: scsw.make() });
    this.report({ rsc: Rsc.SCH, erc: Erc.IPARM, rsid: schno });
  }

  unplug(schno: number): void {
    this.#uses();
    this.#entries.delete(subchannelName(idOf(schno)));
    this.report({ rsc: Rsc.SCH, erc: Erc.IPARM, rsid: schno });
  }

  /** A path becomes available or not, at all subchannels. @param told whether that is reported */
  path(chpid: number, to: "online" | "offline", told: "told" | "not told" = "told"): void {
    this.#uses();
    for (const entry of this.#entries.values()) {
      const at = entry.pmcw.chpid.indexOf(chpid);
      if (at === -1) continue;
      const mask = 0x80 >> at;
      const pam = to === "online" ? entry.pmcw.pam | mask : entry.pmcw.pam & ~mask;
      entry.pmcw = { ...entry.pmcw, pam };
    }
    const erc = to === "online" ? Erc.INIT : Erc.PERRN;
    if (told === "told") this.report({ rsc: Rsc.CPATH, erc, rsid: chpid });
  }

  report(word: Partial<Crw>): void {
    this.#uses();
    const last = this.#reports.at(-1);
    if (this.#reports.length < this.#limit) this.#reports.push(crw.make(word));
    else if (last !== undefined && this.#overflow === "marked") {
      this.#reports[this.#reports.length - 1] = { ...last, oflw: 1 };
    }
    this.#reported?.();
  }

  /** Status becomes pending, if the subchannel is enabled, and whoever handles interruptions is called. */
  raise(schno: number, change: Partial<Scsw> = {}): void {
    this.#uses();
    const entry = this.#entries.get(subchannelName(idOf(schno)));
    if (entry === undefined || entry.pmcw.ena === 0) return;
    entry.scsw = scsw.make({ stctl: Stctl.ALERT | Stctl.PEND, ...change });
    const { intparm, isc } = entry.pmcw;
    const interruption = { id: entry.id, intparm, isc };
    this.#runtime.scheduler.spawn("interruption", async () => {
      await this.#runtime.scheduler.yield("interruption", this);
      await this.#handler?.(interruption);
    });
  }

  provided(): readonly SubchannelId[] {
    this.#uses();
    return [...this.#entries.values()].map(({ id }) => id);
  }

  stsch(id: SubchannelId): { readonly cc: 0 | 3; readonly schib: Schib | null } {
    const entry = this.#find(id);
    if (entry === undefined) return { cc: 3, schib: null };
    return { cc: 0, schib: schib.make({ pmcw: entry.pmcw, scsw: entry.scsw }) };
  }

  msch(id: SubchannelId, wanted: Schib): ConditionCode {
    const entry = this.#find(id);
    if (entry === undefined) return 3;
    if ((entry.scsw.stctl & Stctl.PEND) !== 0) return 1;
    if (entry.scsw.fctl !== 0) return 2;
    const { intparm, isc, ena } = wanted.pmcw;
    entry.pmcw = { ...entry.pmcw, intparm, isc, ena };
    return 0;
  }

  ssch(id: SubchannelId): ConditionCode {
    return this.#function(id, "ssch", { fctl: Fctl.START, actl: Actl.SCHACT | Actl.DEVACT });
  }

  tsch(id: SubchannelId): { readonly cc: 0 | 1 | 3; readonly irb: Irb | null } {
    const entry = this.#find(id);
    if (entry === undefined) return { cc: 3, irb: null };
    const answer = irb.make({ scsw: entry.scsw });
    if ((entry.scsw.stctl & Stctl.PEND) === 0) return { cc: 1, irb: answer };
    entry.scsw = scsw.make();
    return { cc: 0, irb: answer };
  }

  hsch(id: SubchannelId): ConditionCode {
    return this.#function(id, "hsch", { fctl: Fctl.HALT, actl: Actl.HALT_PEND });
  }

  csch(id: SubchannelId): 0 | 3 {
    return this.#function(id, "csch", { fctl: Fctl.CLEAR, actl: Actl.CLEAR_PEND }) === 0 ? 0 : 3;
  }

  rsch(id: SubchannelId): ConditionCode {
    return this.#function(id, "rsch", {});
  }

  xsch(id: SubchannelId): ConditionCode {
    return this.#function(id, "xsch", { fctl: 0, actl: 0 });
  }

  stcrw(): Crw | null {
    this.#uses();
    return this.#reports.shift() ?? null;
  }

  enableSubclasses(): void {}

  onInterruption(handler: ((interruption: Interruption) => void | Promise<void>) | null): void {
    this.#uses();
    this.#handler = handler;
  }

  onChannelReport(handler: (() => void) | null): void {
    this.#uses();
    this.#reported = handler;
    if (this.#reports.length > 0) handler?.();
  }

  #function(id: SubchannelId, name: string, change: Partial<Scsw>): ConditionCode {
    const entry = this.#find(id);
    this.asked.push(name);
    if (entry === undefined || entry.pmcw.ena === 0) return 3;
    const refused = (this.refuses as Readonly<Record<string, ConditionCode | undefined>>)[name];
    if (refused !== undefined && refused !== 0) return refused;
    entry.scsw = { ...entry.scsw, ...change };
    return 0;
  }

  #find(id: SubchannelId): Entry | undefined {
    this.#uses();
    return this.#entries.get(subchannelName(id));
  }

  #uses(): void {
    this.#runtime.scheduler.access(this, "write");
  }
}
