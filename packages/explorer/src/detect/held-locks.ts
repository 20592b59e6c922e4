/** Who holds which lock, and what is done to locks by those who do not hold them. */
import type { Task } from "../run/task.js";
import type { Scene } from "./observer.js";

export interface Held {
  readonly lock: number;
  readonly mode: "exclusive" | "shared";
  /** Null: taken in `setup`. */
  readonly task: Task | null;
  readonly step: number;
}

export class HeldLocks {
  /** Oldest first. */
  readonly #held: Held[] = [];

  /** What a task holds, in the order taken. */
  of(task: Task): readonly Held[] {
    return this.#held.filter((held) => held.task === task);
  }

  holders(lock: number): readonly Held[] {
    return this.#held.filter((held) => held.lock === lock);
  }

  /** All that are held, by whomever, the oldest first. */
  get all(): readonly Held[] {
    return this.#held;
  }

  runBegan(): void {
    this.#held.length = 0;
  }

  taken({ task, step }: Scene, lock: number, mode: Held["mode"]): void {
    this.#held.push({ lock, mode, task, step });
  }

  givenBack(scene: Scene, lock: number): void {
    const { task } = scene;
    const own = this.#held.findIndex((held) => held.lock === lock && held.task === task);
    const place = own === -1 ? this.#held.findIndex((held) => held.lock === lock) : own;
    const held = this.#held[place];
    if (held !== undefined) this.#held.splice(place, 1);
    if (own === -1 && held?.task !== null) this.#misused(scene, lock, held);
  }

  ended(scene: Scene, task: Task): void {
    if (this.#held.length === 0) return;
    const kept = this.of(task);
    const [first] = kept;
    if (first === undefined) return;
    scene.fail({
      kind: "lock-misuse",
      message: `${task.name} has ended and still holds ${kept.map(({ lock }) => scene.objectName(lock)).join(", ")}`,
      clash: [first.step, scene.step],
    });
  }

  #misused(scene: Scene, lock: number, held: Held | undefined): void {
    const who = scene.task?.name ?? "setup";
    const name = scene.objectName(lock);
    scene.fail({
      kind: "lock-misuse",
      message:
        held === undefined
          ? `${who} unlocks ${name}, which nobody holds`
          : `${who} unlocks ${name}, which ${held.task?.name ?? "setup"} holds since step ${held.step}`,
      clash: held === undefined ? [] : [held.step, scene.step],
    });
  }
}
