/** What a detector gets to see of a run, as it happens. Tasks, objects and steps are numbers; names are for messages. */
import type { Access, LogRecord, Note } from "parhelion-core";
import type { Failure } from "../failure.js";
import type { Task } from "../run/task.js";

/** What the run is at. `before` and `after` run alone; what is between them is explored. */
export type Phase = "setup" | "before" | "tasks" | "after";

/** Without `step` it is of the step that is running. */
export type Report = Omit<Failure, "step" | "clash"> & Partial<Failure>;

export interface Scene {
  readonly phase: Phase;
  /** Index of the step that is running; -1 before the first. Steps of `before` and `after` count as well. */
  readonly step: number;
  /** Null outside of tasks: in `setup`, or when time fires a timer. */
  readonly task: Task | null;
  readonly tasks: readonly Task[];
  objectName(object: number): string;
  /** The name of what the object is a part of, as "lock of X" is of X. */
  wholeOf(object: number): string | null;
  /** Ends the run after this step. The first counts. */
  fail(failure: Report): void;
  /** Lets the run go on, which has failed all the same unless `fail` says something worse. The first counts. */
  warn(failure: Report): void;
}

/** One object serves all runs of a search, one after the other: `runBegan` forgets the run before. */
export interface Observer {
  runBegan?(scene: Scene): void;
  stepBegan?(scene: Scene): void;
  access?(scene: Scene, object: number, mode: Access): void;
  note?(scene: Scene, note: Note, object: number): void;
  spawned?(scene: Scene, child: Task): void;
  /** The running task will sleep at `task.op` on `object`. */
  blocked?(scene: Scene, object: number): void;
  woken?(scene: Scene, task: Task): void;
  ended?(scene: Scene, task: Task): void;
  logged?(scene: Scene, record: LogRecord): void;
  /** Nothing can run any more though `waiting` have not ended. */
  stuck?(scene: Scene, waiting: readonly Task[]): void;
  /** Every task has ended and `after` is over. */
  runEnded?(scene: Scene): void;
}
