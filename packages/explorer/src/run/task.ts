/** One task of a run. */
import type { Named } from "parhelion-core";

export type TaskState = "runnable" | "running" | "blocked" | "ended";

export interface Task {
  /** The same in every run of one search. */
  readonly number: number;
  readonly name: string;
  /** "program": the search is about it. "helper": something spawned it. "timer": it is one step of time. */
  readonly role: "program" | "helper" | "timer";
  state: TaskState;
  /** What it stands at. */
  op: string;
  on: Named;
  /** Goes on from there. */
  resume: (() => void) | null;
  /** The step that made it runnable; -1: from the start. */
  enabledBy: number;
  /** How many tasks it has spawned. */
  children: number;
}

export function createTask(number: number, name: string, role: Task["role"], enabledBy: number): Task {
  return {
    number,
    name,
    role,
    state: "runnable",
    op: "start",
    on: { name },
    resume: null,
    enabledBy,
    children: 0,
  };
}

/** What throws at once, or is no asynchronous function, rejects like one. */
export function begin(run: () => Promise<void>): Promise<void> {
  try {
    const ended: unknown = run();
    if (ended instanceof Promise) return ended as Promise<void>;
    return Promise.reject(new TypeError("must return a promise: make it an async function"));
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
