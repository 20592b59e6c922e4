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

/** What the steps of one run did, one phrase for each deed: "reads a, b", "takes lock", "wakes task", "sleeps". */
export class Deeds {
  readonly #tasks: Recording["tasks"];
  /** What several tasks use and one changes: the rest is nobody else's business. */
  readonly #shared: ReadonlySet<string>;

  constructor({ tasks, steps }: Recording) {
    this.#tasks = tasks;
    const users = new Map<string, Set<number>>();
    const changed = new Set<string>();
    for (const { task, accesses } of steps) {
      for (const { object, mode } of accesses) {
        const known = users.get(object);
        if (known === undefined) users.set(object, new Set([task]));
        else known.add(task);
        if (mode === "write" || mode === "store") changed.add(object);
      }
    }
    this.#shared = new Set([...changed].filter((object) => (users.get(object)?.size ?? 0) > 1));
  }

  of(step: RecordedStep): readonly string[] {
    const names = (places: readonly number[]) =>
      places.map((place) => this.#tasks[place]?.name ?? "?").join(", ");
    const taken = step.notes.filter(({ note }) => note.startsWith("lock"));
    return [
      ...this.#uses(step),
      ...step.notes.flatMap(({ note, object }) => describeNote(note, object)),
      ...(step.starts.length > 0 ? [`starts ${names(step.starts)}`] : []),
      ...(step.wakes.length > 0 ? [`wakes ${names(step.wakes)}`] : []),
      ...step.log.map((line) => `logs ${line}`),
      ...(step.held.length > taken.length ? [`holds ${step.held.join(", ")}`] : []),
      ...(step.ending === "goes on" ? [] : [step.ending]),
    ];
  }

  /** Each object once, with the strongest use; a lock that is taken is written as well, which need not be said. */
  #uses({ accesses, notes, ending, on }: RecordedStep): readonly string[] {
    const told = new Set(notes.map(({ object }) => object));
    if (ending === "sleeps") told.add(on);
    const written = new Set(
      accesses.flatMap(({ object, mode }) => (mode === "write" || mode === "store" ? [object] : [])),
    );
    return (Object.keys(verbs) as Access[]).flatMap((mode) => {
      const objects = accesses.flatMap(({ object, mode: how }) => {
        const said = mode === "write" ? told.has(object) : mode !== "store" && written.has(object);
        return how === mode && !said && this.#shared.has(object) ? [object] : [];
      });
      return objects.length === 0 ? [] : [`${verbs[mode]} ${objects.join(", ")}`];
    });
  }
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
