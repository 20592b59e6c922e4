/** What a program to be explored is, and what it finds around it. */
import type { LogRecord, Named, Runtime } from "parhelion-core";

/**
 * Built anew for every interleaving, so `setup` must do the same each time: no clock, no randomness, no state of its own
 * but the runtime's.
 */
export interface Program<W = unknown> {
  readonly name: string;
  /** Makes what the tasks share, and names the tasks with `world.task`. Nothing runs yet. */
  setup(world: World): W;
  /** Runs alone, in one fixed order, before the tasks start: what the question is not about. */
  before?(shared: W, world: World): Promise<void>;
  /** Runs alone after every task has ended: takes down what was set up, and looks at the result. */
  after?(shared: W, world: World): Promise<void>;
  /**
   * What must hold at every point between two steps. Reads only; throws or calls `world.expect` to object. What it looks
   * at it declares like any step, with `world.reads` where the world does not see it: only then are all orders tried of
   * steps that change it.
   */
  invariant?(shared: W, world: World): void;
  /** What came out, as plain data; asked at the very end of a run that did not fail. */
  observe?(shared: W, world: World): unknown;
}

export interface World {
  readonly runtime: Runtime;
  /** What was logged so far. */
  readonly log: readonly LogRecord[];
  /** A task of the program. All start together, once `before` is over. */
  task(name: string, run: () => Promise<void>): void;
  /** Like `task`, as an interrupt handler: it must not sleep. */
  interrupt(name: string, run: () => Promise<void>): void;
  /**
   * What must hold at every point between two steps from here on, besides the program's own `invariant` and in the same
   * manner. @param name what it is about, the same in every run; what has nothing to do with each other has two names
   */
  always(look: () => void, name?: string): void;
  /** Is called when a run that did not fail is over, `after` included. Reads only; calls `world.expect` to object. */
  finally(look: () => void): void;
  /** A point where others may run: between two instructions of a processor that shares memory with others. */
  point(what?: string): Promise<void>;
  /** Ends the run as failed unless it holds. @param kind default "expectation" */
  expect(holds: boolean, message: string, kind?: "expectation" | "invariant"): void;
  /**
   * Plain memory with the given fields: every use of a field is seen, races and uses after `free` are reported, and
   * what was not freed by the end is a leak.
   */
  allocate<T extends object>(name: string, fields: T): T;
  /** Ends the life of what `allocate` returned. */
  free(allocation: object): void;
  /** Plain memory that lives as long as the program: a static variable. */
  track<T extends object>(name: string, fields: T): T;
  /**
   * An object that tasks of one event loop share, an instance of a class for example: every use of its fields is seen, also
   * inside of the plain objects, arrays, maps and sets that it holds. What lies between two awaits is atomic, so there are
   * no data races. Fields that begin with # can't be seen: declare those uses with `reads` and `writes`.
   */
  share<T extends object>(name: string, value: T): T;
  /** A variable that processors may share without a lock. */
  atomic<T>(name: string, initial: T): Atomic<T>;
  /** A number of things to give out and get back. */
  pool(name: string, size: number): Pool;
  /** When callbacks may come. */
  window(name: string): CallbackWindow;
  /** Declares something shared that the world does not watch by itself. */
  reads(on: Named): void;
  writes(on: Named): void;
}

/** Each operation is one step by itself. */
export interface Atomic<T> extends Named {
  load(): Promise<T>;
  store(value: T): Promise<void>;
  exchange(value: T): Promise<T>;
  /** Whether it held `expected` and now holds `next`. */
  compareAndSwap(expected: T, next: T): Promise<boolean>;
  update(next: (value: T) => T): Promise<T>;
  /** The value without a step: for `after`, invariants and messages. */
  peek(): T;
}

export interface Pool extends Named {
  readonly free: number;
  /** False when none is left. */
  take(): boolean;
  /** Giving back more than was taken is reported. What is out at the end is a leak. */
  give(): void;
}

export interface CallbackWindow extends Named {
  open(): void;
  close(): void;
  /** Runs a callback; reported when the window is closed before, at any point of, or right after it. */
  during<T>(callback: string, run: () => Promise<T>): Promise<T>;
}
