/** Who draws conclusions from how a slice's engines fare, and may forbid that a slice gets one. */

/** How an engine failed: before it was ready, or after. */
export type EngineFailureKind = "start" | "death";

export interface EngineJudge {
  /** @throws HostError while nobody may have a new device */
  assertAdmits(): void;
  engineStarted(slice: string): void;
  /** It did not start, or has died, and nobody had asked it to end. */
  engineFailed(slice: string, kind: EngineFailureKind, reason: string): void;
  /** The slice gets no engine any more. */
  forget(slice: string): void;
}

/** Everything is admitted, nothing is concluded. */
export const lenientJudge: EngineJudge = {
  assertAdmits: () => undefined,
  engineStarted: () => undefined,
  engineFailed: () => undefined,
  forget: () => undefined,
};
