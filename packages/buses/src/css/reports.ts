/**
 * What channel reports say, in words: chained ones put together, codes read. Which codes mean that a path has come or gone is Linux'
 * rule (crw_collect_info, chp_process_crw and css_process_crw of drivers/s390/cio).
 */
import { type Crw, Erc, Rsc } from "./layout/index.js";
import type { SubchannelId } from "./machine.js";

export type Report =
  | { readonly about: "subchannel"; readonly id: SubchannelId }
  | { readonly about: "path"; readonly chpid: number; readonly event: "ONLINE" | "OFFLINE" }
  /** Some were lost: anything may have changed. */
  | { readonly about: "everything" }
  | { readonly about: "other"; readonly rsc: number; readonly erc: number };

const come: readonly number[] = [Erc.INIT, Erc.IPARM];
const gone: readonly number[] = [Erc.PERRN, Erc.PERRI];

/** Takes reports until there are none. @param next the oldest one; null when there is none */
export function* readReports(cssid: number, next: () => Crw | null): Generator<Report> {
  for (let first = next(); first !== null; first = next()) {
    if (first.oflw === 1) {
      yield { about: "everything" };
      continue;
    }
    const second = first.chn === 1 ? next() : null;
    if (second?.oflw === 1) {
      yield { about: "everything" };
      continue;
    }
    yield read(cssid, first, second);
    if (second?.chn === 1 && passOver(next) === "lost") yield { about: "everything" };
  }
}

/** Takes the rest of a chain that is longer than any that is known. */
function passOver(next: () => Crw | null): "whole" | "lost" {
  for (let word = next(); word !== null; word = next()) {
    if (word.oflw === 1) return "lost";
    if (word.chn === 0) break;
  }
  return "whole";
}

function read(cssid: number, first: Crw, second: Crw | null): Report {
  const { rsc, erc, rsid, slct } = first;
  if (rsc === Rsc.SCH) {
    // Whatever the code is, the subchannel itself knows best. The second word names its set, two bits from bit 10 on.
    const ssid = second === null ? 0 : (second.rsid >> 4) & 3;
    return { about: "subchannel", id: { cssid, ssid, schno: rsid } };
  }
  // A report that was asked for is the answer to a reset of the path.
  if (rsc === Rsc.CPATH && slct === 0) {
    if (come.includes(erc)) return { about: "path", chpid: rsid & 0xff, event: "ONLINE" };
    if (gone.includes(erc)) return { about: "path", chpid: rsid & 0xff, event: "OFFLINE" };
  }
  return { about: "other", rsc, erc };
}
