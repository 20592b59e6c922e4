/** What the model of channel programs is told, and what it tells. */

export type Act = number | "accept" | "rest";

/** What a scripted device does with one command. */
export interface Step {
  /** A number moves so many bytes the way the command goes; "rest" all there are; "accept" only says that it will. */
  readonly acts: readonly Act[];
  readonly status: number;
  readonly channelStatus: number;
  readonly sense: readonly number[];
  /** Status that comes in place of a device end missing from `status`; null: none comes. */
  readonly later: number | null;
}

export interface Machine {
  readonly memory: Uint8Array;
  /** By 4 KiB block: access control, and whether fetches are protected too. */
  readonly keys: readonly { readonly key: number; readonly fetch: boolean }[];
  /** Used in turn, over and over. */
  readonly steps: readonly Step[];
}

export interface Controls {
  readonly cpa: number;
  readonly key: number;
  readonly format: 0 | 1;
  readonly suspend: boolean;
  readonly initialStatus: boolean;
  readonly idawFormat: 1 | 2;
  readonly idawBlock: 2048 | 4096;
  /** Incorrect-length suppression of the ORB. */
  readonly ils: boolean;
  readonly limit: number;
}

export type Event =
  | { readonly kind: "command"; readonly code: number; readonly chained: boolean }
  | { readonly kind: "received"; readonly bytes: readonly number[] }
  | { readonly kind: "sent"; readonly taken: number }
  | { readonly kind: "pci" | "initial-status"; readonly cpa: number };

export interface Outcome {
  readonly state: "ended" | "suspended";
  readonly cpa: number;
  readonly count: number;
  readonly dstat: number;
  readonly cstat: number;
  readonly deferred: 0 | 1;
  readonly sense: readonly number[] | null;
  readonly later: boolean;
}

/** Everything there is at a moment. */
export interface World {
  readonly memory: Uint8Array;
  readonly events: readonly Event[];
  /** Commands given to the device so far. */
  readonly commands: number;
  readonly fetched: number;
  /** Of the last CCW in use. */
  readonly cpa: number;
  readonly count: number;
  /** Where a suspended program goes on. */
  readonly at: number;
}

/** Bends of the rules; each is a bug when it is on. */
export interface Bends {
  readonly modifierIgnored?: boolean;
  readonly suppressionBesideDataChaining?: boolean;
  readonly transferToTransfer?: boolean;
  readonly firstTransfer?: boolean;
  readonly addressOfTarget?: boolean;
  readonly oldCcwAtBoundary?: boolean;
  readonly skipStores?: boolean;
  readonly zeroCountAnywhere?: boolean;
  readonly protectionIgnored?: boolean;
  readonly blocksOf2k?: boolean;
  readonly unalignedWords?: boolean;
  readonly chainedInterruptLost?: boolean;
  readonly immediateLengthAlways?: boolean;
  readonly residualOfBlock?: boolean;
  readonly resumeIgnoresFlag?: boolean;
}
