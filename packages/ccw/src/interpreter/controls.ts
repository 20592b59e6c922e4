/** What of an ORB governs how a channel program is executed. */
import type { Orb } from "parhelion-buses";

export interface StartControls {
  /** Absolute address of the first CCW. */
  readonly cpa: number;
  /** Access key of every access to main storage. */
  readonly key: number;
  readonly format: 0 | 1;
  /** Whether CCWs may have the suspend flag. */
  readonly suspend: "allowed" | "refused";
  /** Whether the start of the first command is reported (zero condition code). */
  readonly initialStatus: "reported" | "quiet";
  readonly idawFormat: 1 | 2;
  /** Bytes that an IDAW after the first one stands for. */
  readonly idawBlock: 2048 | 4096;
  /** Whether an immediate command of format 1 with a count can have an incorrect length. Format 0 never "checked". */
  readonly immediateLength: "checked" | "ignored";
}

/**
 * Prefetch (`pfch`) permits reading ahead and does not demand it: each CCW and IDAW is fetched when it is due, which is
 * right with and without it.
 */
export function startControls(orb: Orb): StartControls {
  return {
    cpa: orb.cpa,
    key: orb.key,
    format: orb.fmt === 1 ? 1 : 0,
    suspend: orb.spnd === 1 ? "allowed" : "refused",
    initialStatus: orb.isic === 1 ? "reported" : "quiet",
    idawFormat: orb.c64 === 1 ? 2 : 1,
    idawBlock: orb.c64 === 1 && orb.i2k === 0 ? 4096 : 2048,
    immediateLength: orb.fmt === 1 && orb.ils === 0 ? "checked" : "ignored",
  };
}
