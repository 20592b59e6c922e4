/** What a subchannel's status word allows, and what collecting it leaves: rules that need nothing but the word itself. */
import { Actl, Cstat, Dstat, Fctl, type Orb, type Scsw, Stctl, scsw } from "parhelion-buses";

export function isPending({ stctl }: Scsw): boolean {
  return (stctl & Stctl.PEND) !== 0;
}

/** Pending, and it says that nothing has ended yet. */
export function isIntermediate({ stctl }: Scsw): boolean {
  return stctl === (Stctl.INTER | Stctl.PEND);
}

/** The word at the beginning of a start function. @param active what the device still does of the one before */
export function started(orb: Orb, active: number): Scsw {
  const { key, spnd: sctl, fmt, pfch, isic, alcc, ssic: ssi, cpa } = orb;
  const actl = active | Actl.START_PEND;
  return scsw.make({ key, sctl, fmt, pfch, isic, alcc, ssi, cpa, fctl: Fctl.START, actl });
}

const running = Actl.SCHACT | Actl.DEVACT;

/**
 * The word after its status was collected: of the functions only those are left that have not ended, which is all with
 * intermediate status alone.
 */
export function collected(word: Scsw): Scsw {
  if (!isPending(word)) return word;
  const { actl } = word;
  const rest = { ...word, stctl: 0, dstat: 0, cstat: 0, cc: 0, zcc: 0, ectl: 0, eswf: 0 };
  if (!isIntermediate(word)) return { ...rest, fctl: 0, pno: 0, actl: actl & running };
  return (actl & Actl.SUSPENDED) === 0 ? rest : { ...rest, pno: 0, actl: actl & ~Actl.RESUME_PEND };
}

const unusualDevice = Dstat.ATTENTION | Dstat.BUSY | Dstat.UNIT_CHECK | Dstat.UNIT_EXCEP;

/** The alert bit where device or channel have something to say beyond the end. */
export function alert(dstat: number, cstat: number): number {
  return (dstat & unusualDevice) !== 0 || (cstat & ~Cstat.PCI) !== 0 ? Stctl.ALERT : 0;
}
