/**
 * The life of a slice's engine, with a way back from every failure. An engine is started by the first request that needs
 * it, not before, and not again by itself: a slice that nobody uses costs no process.
 */
import type { Transitions } from "parhelion-core";
import type { EngineExit } from "./engine-exit.js";

export type EngineState =
  /** No process; the next request starts one. */
  | "stopped"
  /** A process that has not answered for an adapter yet. */
  | "starting"
  | "ready"
  /** It missed a deadline. It gets no new devices until it answers, and is killed when it does not. */
  | "suspect"
  /** The process ended or must end; whoever depends on it is being told. */
  | "failed"
  /** No process, and none is started before the delay is over. */
  | "backing-off"
  /** Being ended on purpose. */
  | "stopping"
  /** Ended on purpose, for good: the slice is going. */
  | "retired";

export const engineTransitions: Transitions<EngineState> = {
  stopped: ["starting", "retired"],
  starting: ["ready", "failed", "stopping"],
  ready: ["suspect", "failed", "stopping"],
  suspect: ["ready", "failed", "stopping"],
  failed: ["backing-off", "retired"],
  "backing-off": ["stopped", "retired"],
  stopping: ["retired"],
  retired: [],
};

export interface EngineStatus {
  readonly state: EngineState;
  readonly pid: number | undefined;
  /** What has been taken away from its process, by name (docs/security.md). */
  readonly sandbox: readonly string[];
  /** How many engines this slice has had. */
  readonly starts: number;
  /** In a row; 0 once an engine has stayed healthy. */
  readonly failures: number;
  readonly lastFailure: string | undefined;
  /** Until the back-off is over, in ms. */
  readonly retryInMs: number | undefined;
}

/** Why everything on an engine is lost. */
export interface EngineLoss {
  readonly exit: EngineExit;
  readonly reason: string;
}
