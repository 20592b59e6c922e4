/** What is kept of one subchannel, and how its status becomes pending and is collected. */
import {
  Actl,
  type ConditionCode,
  erw,
  esw,
  type Interruption,
  type Irb,
  irb,
  type Pmcw,
  pmcw,
  type Schib,
  type Scsw,
  Stctl,
  type SubchannelId,
  schib,
  scsw,
} from "parhelion-buses";
import type { Named, Runtime } from "parhelion-core";
import type { InstalledPaths, SelectedPath } from "../path/installed-paths.js";
import type { Interruptions } from "./interruptions.js";
import { collected, isPending } from "./status.js";

const atRest = pmcw.make({ pom: 0xff });

export class Words {
  readonly paths: InstalledPaths;
  readonly #runtime: Runtime;
  readonly #on: Named;
  readonly #id: SubchannelId;
  readonly #interruptions: Interruptions;
  #pmcw: Pmcw;
  #scsw: Scsw = scsw.make();
  #mba = 0n;
  /** For the extended control word, until the status is collected. */
  #sense: Uint8Array | null = null;
  /** Status that the device wants to present and can't yet. */
  #held = 0;

  /** @param on the subchannel @param fixed what no instruction changes: dev, dnv, qf, st */
  constructor(
    runtime: Runtime,
    on: Named & { readonly id: SubchannelId },
    paths: InstalledPaths,
    fixed: Partial<Pmcw>,
    interruptions: Interruptions,
  ) {
    const { pim, chpids } = paths;
    this.paths = paths;
    this.#runtime = runtime;
    this.#on = on;
    this.#id = on.id;
    this.#interruptions = interruptions;
    this.#pmcw = { ...atRest, ...fixed, pim, lpm: pim, chpid: chpids };
  }

  get pmcw(): Pmcw {
    this.#uses("read");
    return this.#pmcw;
  }

  set pmcw(changed: Pmcw) {
    this.#uses("write");
    this.#pmcw = changed;
  }

  get scsw(): Scsw {
    this.#uses("read");
    return this.#scsw;
  }

  set scsw(changed: Scsw) {
    this.#uses("write");
    this.#scsw = changed;
  }

  /** For the interruption that is pending. */
  get interruption(): Interruption {
    const { intparm, isc } = this.pmcw;
    return { id: this.#id, intparm, isc };
  }

  get operational(): boolean {
    const { dnv, ena } = this.pmcw;
    return dnv === 1 && ena === 1;
  }

  stsch(): Schib {
    this.#uses("read");
    return schib.make({ pmcw: { ...this.#pmcw, pam: this.paths.pam }, scsw: this.#scsw, mba: this.#mba });
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

  tsch(): { readonly cc: 0 | 1 | 3; readonly irb: Irb | null } {
    this.#uses("write");
    if (!this.operational) return { cc: 3, irb: null };
    const ecw = new Uint8Array(32);
    if (this.#sense !== null) ecw.set(this.#sense);
    const answer = irb.make({
      scsw: this.#scsw,
      esw: esw.make({
        lpum: this.#pmcw.lpum,
        erw: erw.make({ cons: this.#scsw.ectl, scnt: this.#sense?.length ?? 0 }),
      }),
      ecw,
    });
    if (!isPending(this.#scsw)) return { cc: 1, irb: answer };
    this.#scsw = collected(this.#scsw);
    this.#sense = null;
    this.withdraw();
    this.presentHeld();
    return { cc: 0, irb: answer };
  }

  /** Adds to the status, which is pending from here on. @param stctl bits to set beside those there are */
  present(change: Partial<Scsw>, stctl: number): void {
    this.#uses("write");
    this.#scsw = { ...this.#scsw, ...change, stctl: this.#scsw.stctl | stctl };
    this.#interruptions.add(this, this.#pmcw.isc);
  }

  /** There is nothing to interrupt for. */
  withdraw(): void {
    this.#interruptions.remove(this);
  }

  /** Sense data for the extended control word, if it is wanted. @returns what the status word says of it */
  sensed(sense: Uint8Array | null): Partial<Scsw> {
    this.#uses("write");
    if (sense === null || this.#pmcw.csense === 0) return {};
    this.#sense = sense.slice(0, 32);
    return { ectl: 1 };
  }

  /** Status that nobody asked for: presented once nothing else is. */
  hold(dstat: number): void {
    this.#uses("write");
    this.#held |= dstat;
    this.presentHeld();
  }

  presentHeld(): void {
    this.#uses("write");
    const { fctl, actl } = this.#scsw;
    if (this.#held === 0 || fctl !== 0 || isPending(this.#scsw) || (actl & Actl.DEVACT) !== 0) return;
    const dstat = this.#held;
    this.#held = 0;
    this.present({ dstat }, Stctl.ALERT | Stctl.PEND);
  }

  /** Nothing is pending any more, or held. @param next the status word from here on */
  clear(next: Partial<Scsw>): void {
    this.#uses("write");
    this.#scsw = scsw.make(next);
    this.#sense = null;
    this.#held = 0;
    this.withdraw();
  }

  /** As if nobody had ever used it. */
  reset(): void {
    this.clear({});
    const { intparm, isc, ena, pom, pnom, lpum } = atRest;
    this.#pmcw = { ...this.#pmcw, intparm, isc, ena, pom, pnom, lpum };
  }

  /** Tries the paths in turn. What is found not to answer is noted. */
  select(lpm: number): SelectedPath | null {
    this.#uses("write");
    for (const selected of this.paths.inTurn(lpm & this.paths.pam, this.#pmcw.lpum)) {
      const { mask } = selected;
      const { pom, pnom } = this.#pmcw;
      if (selected.path.link === "up") {
        this.#pmcw = { ...this.#pmcw, pom: pom | mask, pnom: pnom & ~mask, lpum: mask };
        return selected;
      }
      this.#pmcw = { ...this.#pmcw, pom: pom & ~mask, pnom: pnom | mask };
    }
    return null;
  }

  #uses(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this.#on, mode);
  }
}
