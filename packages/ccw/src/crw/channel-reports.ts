/**
 * The channel reports of a machine that nobody has taken yet: so many, and after that only the mark on the last of them
 * that others were lost.
 */

import { type Crw, crw, Erc, Rsc, type SubchannelId } from "parhelion-buses";
import type { Named, Runtime } from "parhelion-core";

export interface ReportsInit {
  /** Words that are kept. Default 64. */
  readonly limit?: number;
  /** Whether reports about subchannels are of two words, the second of which names the set. */
  readonly sets: "one" | "several";
}

export class ChannelReports implements Named {
  readonly name = "channel reports";
  readonly #runtime: Runtime;
  readonly #limit: number;
  readonly #sets: ReportsInit["sets"];
  #pending: Crw[] = [];
  #handler: (() => void) | null = null;

  constructor(runtime: Runtime, init: ReportsInit) {
    this.#runtime = runtime;
    this.#limit = init.limit ?? 64;
    this.#sets = init.sets;
  }

  /** Null: nobody is told. Told at once when reports wait. */
  onReport(handler: (() => void) | null): void {
    this.#uses("write");
    this.#handler = handler;
    if (this.#pending.length > 0) handler?.();
  }

  /** The oldest; null when there is none. */
  take(): Crw | null {
    this.#uses("write");
    return this.#pending.shift() ?? null;
  }

  /** Something about the subchannel has changed: it came, went, or its parameters are others. */
  subchannel({ cssid, ssid, schno }: SubchannelId): void {
    const first = { rsc: Rsc.SCH, erc: Erc.IPARM, rsid: schno };
    const second = { rsc: Rsc.SCH, erc: Erc.IPARM, rsid: (cssid << 8) | (ssid << 4) };
    if (this.#sets === "one") this.#add(crw.make(first));
    else this.#add(crw.make({ ...first, chn: 1 }), crw.make(second));
  }

  path(chpid: number, event: "ONLINE" | "OFFLINE"): void {
    this.#add(crw.make({ rsc: Rsc.CPATH, erc: event === "ONLINE" ? Erc.INIT : Erc.PERRN, rsid: chpid }));
  }

  /** Words that belong together are kept together, or lost together. */
  #add(...words: readonly Crw[]): void {
    this.#uses("write");
    const last = this.#pending.at(-1);
    if (this.#pending.length + words.length <= this.#limit) this.#pending.push(...words);
    else if (last !== undefined) this.#pending[this.#pending.length - 1] = { ...last, oflw: 1 };
    this.#handler?.();
  }

  #uses(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
