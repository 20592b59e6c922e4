/** What a channel program has to say for itself, for the subchannel to make status of. */
import type { Ending } from "./device.js";

/** Status while the program goes on. */
export interface Intermediate {
  /** "pci": a CCW with that flag took control. "initial-status": the device accepted the first command. */
  readonly reason: "pci" | "initial-status";
  readonly cpa: number;
}

/** Came to a suspend flag; nothing of that CCW was done. */
export interface Suspended {
  readonly state: "suspended";
  /** 8 past the CCW with the flag. */
  readonly cpa: number;
  /** That CCW's. */
  readonly count: number;
  /** Whether that CCW has the PCI flag, which is then due whatever the ORB suppresses. */
  readonly pci: "asked" | "not asked";
}

export interface Ended {
  readonly state: "ended";
  /** Deferred condition code; 1: the device refused the first command with `dstat`. */
  readonly deferred: 0 | 1;
  readonly cpa: number;
  readonly dstat: number;
  readonly cstat: number;
  /** Residual count of the last CCW used. */
  readonly count: number;
  /** What there was to sense, with UNIT_CHECK. */
  readonly sense: Uint8Array | null;
  /** Waits for the device end that `dstat` lacks; null when it is there, or will not come. */
  readonly deviceEnd: (() => Promise<Ending>) | null;
}

/** Halted or cleared. */
export interface Stopped {
  readonly state: "stopped";
  readonly signal: "halt" | "clear";
  readonly cpa: number;
  readonly count: number;
  /** What the device said when it was told; 0: it was between commands. */
  readonly dstat: number;
}

export type Conclusion = Suspended | Ended | Stopped;
