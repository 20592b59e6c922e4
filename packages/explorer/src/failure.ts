/** What a run can do wrong. The kind is stable; the message says what, where, and who was involved. */

/** Every kind there is, with what it means. */
export const failureKinds = {
  expectation: "the program's own `expect` does not hold",
  exception: "an exception left a task, or the log carries a BugError",
  "use-after-free": "something is used after its last reference or its memory was given up",
  "double-free": "something is given back twice, or was never taken",
  "data-race": "plain memory is used by two tasks, one of them storing, that nothing orders",
  leak: "something is still there at the end",
  deadlock: "tasks wait for each other, or for something that nobody will ever do",
  "lost-wakeup": "a task sleeps although whoever would wake it has done so already",
  "lock-order": "locks are taken in a circle of orders",
  "lock-misuse": "a lock is given back by who does not hold it, or not at all",
  "sleep-in-atomic": "a task may sleep where it must not: in an interrupt, or under a spinning lock",
  "outside-window": "a callback comes before or after it may",
  livelock: "steps without end, though every task gets its turn",
  uncontrolled: "the run depends on something that the search neither sees nor controls",
  invariant: "what must hold between any two steps does not",
} as const;

export type FailureKind = keyof typeof failureKinds;

export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  /** Index of the step in which it showed; the steps that clash, where there are two. */
  readonly step: number;
  readonly clash: readonly number[];
}
