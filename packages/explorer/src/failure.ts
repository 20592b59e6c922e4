/** What a run can do wrong. The kind is stable; the message says what, where, and who was involved. */

export type FailureKind =
  /** The program's own `expect`, or an exception that left a task. */
  | "expectation"
  | "exception"
  | "use-after-free"
  | "double-free"
  | "data-race"
  | "leak"
  /** Tasks wait for each other, or for a lock that nobody gives back. */
  | "deadlock"
  /** A task waits, and whoever could wake it has done so before, or never will. */
  | "lost-wakeup"
  | "lock-order"
  | "lock-misuse"
  | "sleep-in-atomic"
  | "outside-window"
  /** Steps without end while every task gets its turn. */
  | "livelock"
  /** A wait on something that is no primitive of core's: the search can't control it. */
  | "uncontrolled"
  | "invariant";

export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  /** Index of the step in which it showed; the accesses or steps that clash, where there are two. */
  readonly step: number;
  readonly clash: readonly number[];
}
