/** What an ended channel program came to. */
import { Cstat, Dstat, Fctl, type Irb } from "parhelion-buses";

export type Verdict =
  | { readonly kind: "done" }
  /** Nothing is wrong with program or device; somebody or something came between. */
  | { readonly kind: "again"; readonly why: string }
  | { readonly kind: "busy" }
  | { readonly kind: "unit check" }
  | { readonly kind: "no path" }
  | { readonly kind: "channel"; readonly why: string };

/** @param end the address behind the program's last CCW: where the channel is when it has done all of it */
export function verdictOf({ scsw: { cc, cpa, cstat, dstat, fctl } }: Irb, end: number): Verdict {
  // Before anything else: what was stopped between two commands has the good status of the one before.
  if ((fctl & Fctl.CLEAR) !== 0) return { kind: "again", why: "it was cleared" };
  if ((fctl & Fctl.HALT) !== 0) return { kind: "again", why: "it was halted" };
  if (cc === 3) return { kind: "no path" };
  if ((dstat & Dstat.UNIT_CHECK) !== 0) return { kind: "unit check" };
  if ((dstat & Dstat.BUSY) !== 0) return { kind: "busy" };
  if ((cstat & ~Cstat.PCI) !== 0) {
    return {
      kind: "channel",
      why: `channel status 0x${cstat.toString(16)}, device status 0x${dstat.toString(16)}`,
    };
  }
  const ended = Dstat.CHN_END | Dstat.DEV_END;
  if ((dstat & ended) === ended && cpa === end) return { kind: "done" };
  return { kind: "again", why: `deferred condition code ${cc}, device status 0x${dstat.toString(16)}` };
}

/** Sense bytes that say that the same may work another time: equipment check, data check, overrun, bus-out check. */
export function mayPass(sense: Uint8Array): boolean {
  const passing = 0x10 | 0x08 | 0x04 | 0x20;
  const lasting = 0x80 | 0x40;
  const [first = 0, second = 0] = sense;
  // Permanent, or write inhibited: it will say so again.
  return (first & lasting) === 0 && (first & passing) !== 0 && (second & (0x80 | 0x02)) === 0;
}
