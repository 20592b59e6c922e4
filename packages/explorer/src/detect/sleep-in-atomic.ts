/** Sleeping where it is not allowed: in an interrupt handler, or with a spinning lock held. */
import type { Task } from "../run/task.js";
import type { Scene } from "./observer.js";

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

export class SleepInAtomic {
  /** What each task is inside of, the outermost first; null: none has been yet. */
  #sections: Map<Task, Section[]> | null = null;

  runBegan(): void {
    this.#sections = null;
  }

  entered({ task, step }: Scene, object: number): void {
    if (task === null) return;
    this.#sections ??= new Map();
    const sections = this.#sections.get(task);
    if (sections === undefined) this.#sections.set(task, [{ object, step }]);
    else sections.push({ object, step });
  }

  left({ task }: Scene, object: number): void {
    const sections = task === null ? undefined : this.#sections?.get(task);
    const place = sections?.findLastIndex((section) => section.object === object) ?? -1;
    if (place !== -1) sections?.splice(place, 1);
  }

  stepBegan(scene: Scene): void {
    if (this.#sections !== null && scene.task !== null && mightSleep.has(scene.task.op))
      this.#look(scene, "may sleep");
  }

  blocked(scene: Scene): void {
    // Spinning is waiting, not sleeping.
    if (this.#sections !== null && scene.task?.op !== "spinlock.lock") this.#look(scene, "sleeps");
  }

  ended(task: Task): void {
    this.#sections?.delete(task);
  }

  #look(scene: Scene, does: string): void {
    const { task } = scene;
    const section = task === null ? undefined : this.#sections?.get(task)?.at(-1);
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
