/** The numbers of time sharing, and what a slice may be given of an adapter's time. */

/** What a slice's descriptor says about time. */
export interface TimeTerms {
  /** Part of the adapter's time that is kept for the slice: 0 to 1. */
  readonly share: number;
  /** Of what is left each slice gets by weight. More than 0. */
  readonly weight: number;
  /** Part of the adapter's time that the slice never exceeds, even when nobody else wants it. More than 0, 1 at most. */
  readonly cap: number;
}

export interface TimePolicy {
  /** An engine that others wait for runs this long before it is another's turn, in ms. */
  readonly quantumMs: number;
  /** A slice that has just begun to want time waits at most this long for one that is not behind it, in ms: bounds the changes. */
  readonly leastRunMs: number;
  /** How long an idle engine may keep its lease because its application is about to go on, in ms. */
  readonly lingerMs: number;
  /** Between recalling a lease and going on without waiting for the engine, in ms. */
  readonly recallMs: number;
  /**
   * What a slice did not use of its part it can use later, as much as it would have had in this time, in ms: short bursts of
   * whoever needs less than its part are not cut into turns. 0 would make a burst of 20 ms take 40 ms beside one greedy equal.
   */
  readonly creditMs: number;
  /** Caps are kept over this time, in ms. */
  readonly capWindowMs: number;
}

/** For engines that can be paused: whoever does not give the lease back at once is stopped. */
export const pausingPolicy: TimePolicy = {
  quantumMs: 10,
  leastRunMs: 1,
  lingerMs: 2,
  recallMs: 1,
  creditMs: 50,
  capWindowMs: 100,
};

/** For engines on a GPU: what has been submitted can't be called back, so it is waited for, for about two quanta. */
export const recallingPolicy: TimePolicy = { ...pausingPolicy, quantumMs: 5, lingerMs: 1, recallMs: 10 };

/** Of an adapter whose time is given away entirely a slice that has none reserved still gets this part, lest it starve. */
const leastPart = 0.01;

/**
 * Which part of the adapter's time each gets when all of them want it: what is kept for it, and of the rest by weight. They sum
 * up to 1, or a little more when somebody would get nothing.
 */
export function partsOf(all: readonly TimeTerms[]): readonly number[] {
  const kept = all.reduce((sum, { share }) => sum + share, 0);
  const weights = all.reduce((sum, { weight }) => sum + weight, 0);
  const rest = Math.max(0, 1 - kept);
  return all.map(({ share, weight }) => Math.max(leastPart / all.length, share + (rest * weight) / weights));
}
