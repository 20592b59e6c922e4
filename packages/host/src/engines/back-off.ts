/** How long a slice waits before its engine is started again, and when its past is forgotten. */
export interface BackOffPolicy {
  /** After the first failure, in ms. Doubles with each further one. */
  readonly firstMs: number;
  readonly mostMs: number;
  /** An engine that stayed ready for this long is healthy: the next failure counts as the first. In ms. */
  readonly healthyAfterMs: number;
}

export const defaultBackOff: BackOffPolicy = { firstMs: 100, mostMs: 30_000, healthyAfterMs: 10_000 };

/** @param failures how many in a row, at least 1 */
export function backOffMs(policy: BackOffPolicy, failures: number): number {
  // 2^40 first delays exceed every limit; a larger exponent only risks Infinity.
  return Math.min(policy.mostMs, policy.firstMs * 2 ** Math.min(40, Math.max(0, failures - 1)));
}
