/** All that happened in one run, in plain data: two runs were the same if their recordings are equal. */
import type { Access, Note } from "parhelion-core";
import type { Phase } from "../detect/observer.js";
import type { Failure } from "../failure.js";
import type { Task } from "../run/task.js";

export interface RecordedTask {
  readonly name: string;
  readonly role: Task["role"];
  /** The step that started it; -1: from the start of its part of the run. */
  readonly startedIn: number;
}

export interface RecordedAccess {
  readonly object: string;
  readonly mode: Access;
}

export interface RecordedNote {
  readonly note: Note;
  readonly object: string;
}

export interface RecordedStep {
  readonly phase: Phase;
  /** Place in `tasks`. */
  readonly task: number;
  /** What the step went on from. */
  readonly op: string;
  readonly on: string;
  readonly accesses: readonly RecordedAccess[];
  readonly notes: readonly RecordedNote[];
  /** The locks that the task holds after the step. */
  readonly held: readonly string[];
  /** Tasks that the step started and woke, as places in `tasks`. */
  readonly starts: readonly number[];
  readonly wakes: readonly number[];
  /** What the task does at the end of it. */
  readonly ending: "goes on" | "sleeps" | "ends";
  /** What it goes on to or sleeps at; empty when it ends. */
  readonly next: string;
  readonly log: readonly string[];
}

export interface Recording {
  readonly program: string;
  /** What the tasks chose, as text. */
  readonly schedule: string;
  readonly tasks: readonly RecordedTask[];
  readonly steps: readonly RecordedStep[];
  /** Steps that are not here because there are too many. */
  readonly omitted: number;
  /** Index of the first step of the tasks. */
  readonly base: number;
  readonly failure: Failure | null;
}

/** Null: they are the same. Otherwise the first step that differs, or where one has none. */
export function firstDifference(a: Recording, b: Recording): number | null {
  const length = Math.max(a.steps.length, b.steps.length);
  for (let step = 0; step < length; step += 1) {
    if (JSON.stringify(a.steps[step]) !== JSON.stringify(b.steps[step])) return step;
  }
  return JSON.stringify(a.failure) === JSON.stringify(b.failure) ? null : length;
}
