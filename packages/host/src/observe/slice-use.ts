/** What a slice has used, as its status tells it: everything in bytes or milliseconds, since the slice was made. */

export interface SliceMemoryUse {
  /** What the slice's memory can grow to. */
  readonly limit: number;
  /** What it may use now. */
  readonly grant: number;
  /** The part of `grant` that nobody can take. */
  readonly reserved: number;
  readonly used: number;
  /** The most that was ever used. */
  readonly peak: number;
  /** How many allocations were refused. */
  readonly refused: number;
}

export interface SliceTimeUse {
  /** GPU time that was spent for it. */
  readonly busyMs: number;
  /** Part of the adapter's time that is kept for it, 0 to 1. */
  readonly share: number;
  /** What its engine does: see TimeState. */
  readonly state?: string;
  /** Time during which its engine had the adapter, alone and idle perhaps, or would not let go of it. */
  readonly chargedMs?: number;
  /** How often its engine was stopped because its turn was over. */
  readonly pauses?: number;
  /** How often its engine could not be stopped then, and went on beside the others. */
  readonly overruns?: number;
}
