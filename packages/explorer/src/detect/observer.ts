/** What a detector gets to see of a run, as it happens. Tasks, objects and steps are numbers; names are for messages. */
import type { Access, Note } from "parhelion-core";
import type { Failure } from "../failure.js";
import type { Task } from "../run/task.js";

export interface Scene {
  /** Index of the step that is running; -1 before the first. Steps of `before` and `after` count as well. */
  readonly step: number;
  /** Null outside of tasks: in `setup`, or when time fires a timer. */
  readonly task: Task | null;
  readonly tasks: readonly Task[];
  objectName(object: number): string;
  /** Ends the run after this step. The first counts. */
  fail(failure: Omit<Failure, "step" | "clash"> & Partial<Failure>): void;
}

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
  /** Nothing can run any more though `waiting` have not ended. */
  stuck?(scene: Scene, waiting: readonly Task[]): void;
  /** Every task has ended and `after` is over. */
  runEnded?(scene: Scene): void;
}
