/** Writes a run down. */
import type { Access, LogRecord, Note } from "parhelion-core";
import type { Observer, Phase, Scene } from "../detect/observer.js";
import type { Task } from "../run/task.js";
import type { RecordedAccess, RecordedNote, RecordedStep, RecordedTask } from "./recording.js";

interface Draft {
  readonly phase: Phase;
  readonly runs: Task;
  readonly task: number;
  readonly op: string;
  readonly on: string;
  readonly accesses: RecordedAccess[];
  readonly notes: RecordedNote[];
  held: readonly string[];
  readonly starts: number[];
  readonly wakes: number[];
  ending: RecordedStep["ending"];
  readonly log: string[];
}

/** Of one run. */
export class Recorder implements Observer {
  readonly tasks: RecordedTask[] = [];
  readonly #places = new Map<Task, number>();
  readonly #held = new Map<Task, string[]>();
  readonly #steps: RecordedStep[] = [];
  readonly #limit: number;
  #draft: Draft | null = null;
  #omitted = 0;

  /** @param limit steps that are kept, at most */
  constructor(limit = 2000) {
    this.#limit = limit;
  }

  /** After the run. */
  get steps(): readonly RecordedStep[] {
    this.#finish();
    return this.#steps;
  }

  get omitted(): number {
    return this.#omitted;
  }

  stepBegan({ phase, task }: Scene): void {
    this.#finish();
    if (task === null) return;
    this.#draft = {
      phase,
      runs: task,
      task: this.#place(task),
      op: task.op,
      on: task.on.name,
      accesses: [],
      notes: [],
      held: [],
      starts: [],
      wakes: [],
      ending: "goes on",
      log: [],
    };
  }

  access(scene: Scene, object: number, mode: Access): void {
    const accesses = this.#draft?.accesses;
    const name = scene.objectName(object);
    if (accesses?.some((access) => access.object === name && access.mode === mode) === false) {
      accesses.push({ object: name, mode });
    }
  }

  note(scene: Scene, note: Note, object: number): void {
    const name = scene.objectName(object);
    this.#draft?.notes.push({ note, object: name });
    const { task } = scene;
    if (task === null) return;
    const held = this.#held.get(task) ?? [];
    this.#held.set(task, held);
    if (note === "lock" || note === "lock-shared") held.push(name);
    else if (note === "unlock" && held.includes(name)) held.splice(held.lastIndexOf(name), 1);
  }

  spawned(scene: Scene, child: Task): void {
    const place = this.tasks.length;
    this.#places.set(child, place);
    this.tasks.push({
      name: child.name,
      role: child.role,
      startedIn: scene.task === null ? -1 : scene.step,
    });
    if (scene.task !== null) this.#draft?.starts.push(place);
  }

  blocked(): void {
    if (this.#draft !== null) this.#draft.ending = "sleeps";
  }

  woken(_scene: Scene, task: Task): void {
    this.#draft?.wakes.push(this.#place(task));
  }

  ended(_scene: Scene, task: Task): void {
    if (this.#draft?.runs === task) this.#draft.ending = "ends";
  }

  logged(_scene: Scene, { level, event, fields }: LogRecord): void {
    const shown = Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`);
    this.#draft?.log.push([level, event, ...shown].join(" "));
  }

  #finish(): void {
    const draft = this.#draft;
    if (draft === null) return;
    this.#draft = null;
    if (this.#steps.length >= this.#limit) {
      this.#omitted += 1;
      return;
    }
    const { runs, held: _, ...step } = draft;
    this.#steps.push({
      ...step,
      held: [...(this.#held.get(runs) ?? [])],
      next: draft.ending === "ends" ? "" : `${runs.op} of ${runs.on.name}`,
    });
  }

  /** Time is a task that nobody has started. */
  #place(task: Task): number {
    const known = this.#places.get(task);
    if (known !== undefined) return known;
    const place = this.tasks.length;
    this.#places.set(task, place);
    this.tasks.push({ name: task.name, role: task.role, startedIn: -1 });
    return place;
  }
}
