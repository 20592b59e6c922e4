/**
 * The channel subsystem as its software sees it: instructions that answer with a condition code, and two kinds of news,
 * interruptions and channel reports. None of the instructions waits. An implementation is `ChannelSubsystem` of
 * `parhelion-ccw`.
 */
import type { Crw, Irb, Orb, Schib } from "./layout/index.js";

/** 0: done. 1: status pending. 2: busy. 3: not operational. */
export type ConditionCode = 0 | 1 | 2 | 3;

/** Which subchannel: channel subsystem image, subchannel set, number. */
export interface SubchannelId {
  readonly cssid: number;
  /** 0 to 3. */
  readonly ssid: number;
  /** 0 to 65535. */
  readonly schno: number;
}

export interface Interruption {
  readonly id: SubchannelId;
  /** The subchannel's interruption parameter. */
  readonly intparm: number;
  readonly isc: number;
}

export interface CssMachine {
  /** The subchannels that are provided at this moment: what asking for every number would find. */
  provided(): readonly SubchannelId[];
  /** @returns cc 0 or 3; `schib` only with 0 */
  stsch(id: SubchannelId): { readonly cc: 0 | 3; readonly schib: Schib | null };
  /** What of the PMCW can be written is (intparm, isc, ena, lm, mme, mp, lpm, pom, mbi, mbfc, xmwme, csense), and MBA. */
  msch(id: SubchannelId, schib: Schib): ConditionCode;
  /** @throws KernelError EIO an operand exception: the ORB is not valid */
  ssch(id: SubchannelId, orb: Orb): ConditionCode;
  /** Collects the status. @returns cc 0 status was pending, 1 none was, 3; the IRB unless it is 3 */
  tsch(id: SubchannelId): { readonly cc: 0 | 1 | 3; readonly irb: Irb | null };
  hsch(id: SubchannelId): ConditionCode;
  csch(id: SubchannelId): 0 | 3;
  rsch(id: SubchannelId): ConditionCode;
  /** Takes a start back that has not begun. cc 0 taken back, 1 status pending, 2 too late, 3. */
  xsch(id: SubchannelId): ConditionCode;
  /** The oldest channel report; null when there is none. */
  stcrw(): Crw | null;
  /** Which interruption subclasses may interrupt: bit 0x80 is subclass 0. At first none may. */
  enableSubclasses(mask: number): void;
  /**
   * Says who is called for each interruption, one after the other, lowest subclass first, each in a task of its own
   * machine. Its status is still to be collected. Null: nobody.
   */
  onInterruption(handler: ((interruption: Interruption) => void | Promise<void>) | null): void;
  /** Says who is told that channel reports wait. May be told without a report; must not wait. Null: nobody. */
  onChannelReport(handler: (() => void) | null): void;
}

/** As Linux writes it: 0.0.1234. */
export function subchannelName({ cssid, ssid, schno }: SubchannelId): string {
  return `${cssid.toString(16)}.${ssid.toString(16)}.${schno.toString(16).padStart(4, "0")}`;
}
