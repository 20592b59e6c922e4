/** Sleeping where it is not allowed: in an interrupt handler, or with a spinning lock held. */
import type { Note } from "parhelion-core";
import type { Task } from "../run/task.js";
import type { Observer, Scene } from "./observer.js";

/** Core's points that can put their task to sleep: they are wrong even when this once there is nothing to wait for. */
const mightSleep: ReadonlySet<string> = new Set([
  "mutex.lock",
  "rwlock.read",
  "rwlock.write",
  "completion.wait",
  "waitqueue.wait",
]);

interface Section {
  readonly object: number;
  readonly step: number;
}

export class SleepInAtomic implements Observer {
  /** What each task is inside of, the outermost first. */
  readonly #sections = new Map<Task, Section[]>();

  runBegan(): void {
    this.#sections.clear();
  }

  note({ task, step }: Scene, note: Note, object: number): void {
    if (task === null) return;
    if (note === "atomic") {
      const sections = this.#sections.get(task) ?? [];
      sections.push({ object, step });
      this.#sections.set(task, sections);
    } else if (note === "sleepable") {
      const sections = this.#sections.get(task);
      const place = sections?.findLastIndex((section) => section.object === object) ?? -1;
      if (place !== -1) sections?.splice(place, 1);
    }
  }

  stepBegan(scene: Scene): void {
    if (this.#sections.size > 0 && scene.task !== null && mightSleep.has(scene.task.op))
      this.#look(scene, "may sleep");
  }

  blocked(scene: Scene): void {
    // Spinning is waiting, not sleeping.
    if (scene.task?.op !== "spinlock.lock") this.#look(scene, "sleeps");
  }

  ended(_scene: Scene, task: Task): void {
    this.#sections.delete(task);
  }

  #look(scene: Scene, does: string): void {
    const { task } = scene;
    const section = task === null ? undefined : this.#sections.get(task)?.at(-1);
    if (task === null || section === undefined) return;
    scene.fail({
      kind: "sleep-in-atomic",
      message:
        `${task.name} ${does} in ${task.op} of ${task.on.name}, and must not since step ${section.step} ` +
        `(${scene.objectName(section.object)})`,
      clash: [section.step, scene.step],
    });
  }
}
