/** A condition that ends a channel program, on its way from where it was found to the status. */
import { Cstat } from "parhelion-buses";
import { StorageFault } from "../storage/storage.js";

export class ChannelCheck extends Error {
  override readonly name = "ChannelCheck";
  /** Subchannel status. */
  readonly cstat: number;
  /** The channel program address that goes with it; null: 8 past the CCW in use. */
  readonly cpa: number | null;

  constructor(cstat: number, cpa: number | null, why: string, options?: ErrorOptions) {
    super(why, options);
    this.cstat = cstat;
    this.cpa = cpa;
  }
}

export function programCheck(cpa: number | null, why: string): ChannelCheck {
  return new ChannelCheck(Cstat.PROG_CHECK, cpa, why);
}

/** What became of an access to main storage that failed. What is no fault of the program is a channel control check. */
export function checkOf(error: unknown, cpa: number | null): ChannelCheck {
  if (error instanceof ChannelCheck) return error;
  const why = error instanceof Error ? error.message : String(error);
  if (!(error instanceof StorageFault))
    return new ChannelCheck(Cstat.CHN_CTRL_CHK, cpa, why, { cause: error });
  return new ChannelCheck(error.code === "protected" ? Cstat.PROT_CHECK : Cstat.PROG_CHECK, cpa, why);
}
