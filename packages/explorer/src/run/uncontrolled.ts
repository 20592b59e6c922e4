/** What is said when a program does something that can't be explored: it throws, or waits where nobody here can resume it. */
import type { Named } from "parhelion-core";
import type { Report } from "../detect/observer.js";
import type { Task } from "./task.js";

/** The microtasks are used up, and the running task, if there is one, has come to no point. */
export function waitsForOutside(task: Task | null): Report {
  if (task === null) return uncontrolled("the program waits for something outside its tasks");
  return uncontrolled(
    `${task.name} went on from ${task.op} of ${task.on.name} and now waits for something that is no primitive ` +
      "of the core: wait on a completion or a wait queue instead, and let the outside complete it",
  );
}

export function waitsInNoTask(op: string, on: Named): Report {
  return uncontrolled(`${op} of ${on.name} is waited for outside of any task: start one with spawn`);
}

export function waitsTwice(task: Task, op: string, on: Named): Report {
  return uncontrolled(
    `${task.name} waits twice at once (${task.op} of ${task.on.name}, and ${op} of ${on.name}): start a second ` +
      "task with spawn instead of leaving a promise unawaited or using Promise.all",
  );
}

export function threw(who: string, error: unknown): Report {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: "exception", message: `${who}: ${what}` };
}

function uncontrolled(message: string): Report {
  return { kind: "uncontrolled", message };
}
