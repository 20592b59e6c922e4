/**
 * Where every wait and every wake-up of the model goes through. In production the implementation is thin; another one
 * can run the same code under full control of the interleaving.
 *
 * The rules that make control complete:
 * - code between two awaits is atomic, so only awaits are points where another task may run;
 * - model code awaits primitives, model functions that end in one, and callbacks into drivers wrapped in `invoke`,
 *   and nothing else: each of these passes through `block` or `yield`;
 * - concurrency starts with `spawn` only, never with `Promise.all` or a promise left unawaited;
 * - what a task reads and writes between two awaits it declares with `access`.
 *
 * Objects are told apart by name: two with one name count as one.
 */

/** What a point is about, so that a schedule can be read: a lock, a queue, a device. */
export interface Named {
  readonly name: string;
}

/** How a blocked task came back. */
export type Wakeup = "woken" | "timeout";

export interface Blocked {
  /** Settles once, never rejects. The blocked task awaits it straight away. */
  readonly wakeup: Promise<Wakeup>;
  /**
   * Makes the task runnable. True when this call did it: the task will see "woken". False when it was woken before
   * or its deadline has passed: a hand-over must then go to somebody else.
   */
  wake(): boolean;
}

/**
 * How something shared is used. "read" and "write" are of what guards itself, as a primitive does: they also order what
 * is around them. "load" and "store" are of plain memory that somebody's lock has to guard: two that nothing orders, one
 * of them a store, are a data race on a machine with a second processor.
 */
export type Access = "read" | "write" | "load" | "store";

/**
 * What the running task did, beyond what it read and wrote. Locks: "lock", "lock-shared", "unlock". From "atomic" to
 * "sleepable" it must not sleep. "alloc" and "free" bound the life of something counted. "wake": waiters were told.
 */
export type Note = "lock" | "lock-shared" | "unlock" | "atomic" | "sleepable" | "alloc" | "free" | "wake";

export interface Scheduler {
  /**
   * Parks the calling task until `wake` or until `deadline` (ms on the runtime's clock; Infinity: none).
   * @param op what it waits for, for example "mutex.lock"
   */
  block(op: string, on: Named, deadline: number): Blocked;
  /** A point where another task may run though nothing has to be waited for. */
  yield(op: string, on: Named): Promise<void>;
  /** Starts a task. `run` should settle its own errors; one that rejects is reported as a bug. */
  spawn(name: string, run: () => Promise<void>): void;
  /** Declares that the running task uses what `on` stands for. Free in production. */
  access(on: Named, mode: Access): void;
  /** Declares what the running task did. Free in production. */
  note(note: Note, on: Named): void;
}
