/** When an adapter is suspected, how often it is probed, and how it becomes healthy again. */
export interface HealthPolicy {
  /** Failures are forgotten after this long, in ms. */
  readonly windowMs: number;
  /**
   * So many different slices have to fail in a window before the adapter is suspected: one guest can kill its own engine as often as it
   * likes.
   */
  readonly slices: number;
  /** A single slice is enough when so many of its engines in a row did not even start: no guest has a part in that. */
  readonly starts: number;
  /** Probes in a row that have to fail before the adapter is drained. */
  readonly failedProbes: number;
  /** Probes in a row that have to pass before a drained adapter is healthy. */
  readonly passedProbes: number;
  /** Before the second probe, in ms; doubles with each further one that fails. */
  readonly firstMs: number;
  readonly mostMs: number;
  /** After a probe has passed, failures are not held against the adapter for this long, in ms. */
  readonly calmMs: number;
}

export const defaultHealthPolicy: HealthPolicy = {
  windowMs: 60_000,
  slices: 2,
  starts: 3,
  failedProbes: 2,
  passedProbes: 2,
  firstMs: 1000,
  mostMs: 60_000,
  calmMs: 10_000,
};
