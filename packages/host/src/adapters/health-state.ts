/** The life of an adapter as far as trust in it goes, with a way back from everywhere. */
import type { Transitions } from "parhelion-core";

export type HealthState =
  | "healthy"
  /** Something speaks against it, and it is being probed. Devices are made as ever. */
  | "suspect"
  /** It failed its probes. New devices are refused; those that there are may go on. Probed again, with a back-off, for ever. */
  | "drained"
  /** It passed a probe after it had been drained, and has to pass more. New devices are still refused. */
  | "re-probed";

export const healthTransitions: Transitions<HealthState> = {
  healthy: ["suspect"],
  suspect: ["healthy", "drained"],
  drained: ["re-probed", "healthy"],
  "re-probed": ["healthy", "drained"],
};

export interface HealthStatus {
  readonly state: HealthState;
  /** What speaks against it; empty when it is healthy. */
  readonly reason: string;
  /** For how long it has been in this state, in ms. */
  readonly sinceMs: number;
  /** Of all time. */
  readonly probes: { readonly passed: number; readonly failed: number };
  /** Until the next probe, in ms; 0 while one is under way, null when none is planned. */
  readonly nextProbeMs: number | null;
}
