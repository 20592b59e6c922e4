/** The words for what a step did, for every form of report. */
import type { Access } from "parhelion-core";
import type { RecordedStep, Recording } from "./recording.js";

const verbs: Readonly<Record<Access, string>> = {
  read: "reads",
  write: "writes",
  load: "loads",
  store: "stores",
};

/** What the step went on from. */
export function pointOf({ op, on }: RecordedStep): string {
  // A start and a point of its own say no more than the task's name does.
  return op === "start" ? "start" : `${op} ${on}`;
}

/** What the step did, one phrase each: "reads a, b", "takes lock", "wakes task", "sleeps". */
export function deedsOf(step: RecordedStep, { tasks }: Recording): readonly string[] {
  const names = (places: readonly number[]) => places.map((place) => tasks[place]?.name ?? "?").join(", ");
  const notes = step.notes.flatMap(({ note, object }) => describeNote(note, object));
  const told = new Set(step.notes.map(({ object }) => object));
  if (step.ending === "sleeps") told.add(step.on);
  // A lock that is taken is written as well; that need not be said.
  const uses = (Object.keys(verbs) as Access[]).flatMap((mode) => {
    const objects = step.accesses.flatMap(({ object, mode: how }) =>
      how === mode && !(told.has(object) && mode === "write") ? [object] : [],
    );
    return objects.length === 0 ? [] : [`${verbs[mode]} ${objects.join(", ")}`];
  });
  const taken = step.notes.filter(({ note }) => note.startsWith("lock"));
  return [
    ...uses,
    ...notes,
    ...(step.starts.length > 0 ? [`starts ${names(step.starts)}`] : []),
    ...(step.wakes.length > 0 ? [`wakes ${names(step.wakes)}`] : []),
    ...step.log.map((line) => `logs ${line}`),
    ...(step.held.length > taken.length ? [`holds ${step.held.join(", ")}`] : []),
    ...(step.ending === "goes on" ? [] : [step.ending]),
  ];
}

function describeNote(note: RecordedStep["notes"][number]["note"], object: string): readonly string[] {
  switch (note) {
    case "lock":
      return [`takes ${object}`];
    case "lock-shared":
      return [`takes ${object} shared`];
    case "unlock":
      return [`gives back ${object}`];
    case "alloc":
      return [`makes ${object}`];
    case "free":
      return [`frees ${object}`];
    case "wake":
      return [`tells ${object}`];
    case "atomic":
    case "sleepable":
      return [];
  }
}

/** The steps to show: those of the tasks, and of `before` and `after` if it failed there. */
export function shownSteps({
  steps,
  base,
  failure,
}: Recording): readonly { step: RecordedStep; index: number }[] {
  const from = failure !== null && failure.step < base ? 0 : base;
  return steps
    .map((step, index) => ({ step, index }))
    .filter(
      ({ step, index }) =>
        index >= from && (step.phase !== "after" || (failure !== null && index <= failure.step)),
    );
}

/** "data-race in step 5", or that nothing failed. */
export function headingOf({ program, failure }: Recording): string {
  return failure === null
    ? `${program}: nothing failed in this run`
    : `${program}: ${failure.kind} in step ${failure.step}`;
}
