/** What channel reports say, in words: chained ones put together, codes read. */
import { type Crw, Erc, Rsc } from "./layout/index.js";
import type { SubchannelId } from "./machine.js";

export type Report =
  | { readonly about: "subchannel"; readonly id: SubchannelId }
  | { readonly about: "path"; readonly chpid: number; readonly event: "ONLINE" | "OFFLINE" }
  /** Some were lost: anything may have changed. */
  | { readonly about: "everything" }
  | { readonly about: "other"; readonly rsc: number; readonly erc: number };

const gone: readonly number[] = [Erc.TERROR, Erc.TERM, Erc.PERRN, Erc.PERRI];

/** Takes reports until there are none. @param next the oldest one; null when there is none */
export function* readReports(cssid: number, next: () => Crw | null): Generator<Report> {
  for (let first = next(); first !== null; first = next()) {
    const second = first.chn === 1 ? next() : null;
    if (first.oflw === 1 || second?.oflw === 1) yield { about: "everything" };
    yield read(cssid, first, second);
  }
}

function read(cssid: number, first: Crw, second: Crw | null): Report {
  const { rsc, erc, rsid } = first;
  if (rsc === Rsc.SCH) {
    // The second word names the subchannel set, two bits from bit 10 on (css_process_crw).
    const ssid = second === null ? 0 : (second.rsid >> 4) & 3;
    return { about: "subchannel", id: { cssid, ssid, schno: rsid } };
  }
  if (rsc === Rsc.CPATH) {
    return { about: "path", chpid: rsid & 0xff, event: gone.includes(erc) ? "OFFLINE" : "ONLINE" };
  }
  return { about: "other", rsc, erc };
}
