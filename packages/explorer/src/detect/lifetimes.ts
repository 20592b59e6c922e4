/**
 * What is counted or allocated: left at the end it is a leak, and its parts must not be used after it was freed. A part
 * is known by its name, "lock of X" for example: core names the parts of a device so.
 *
 * Whoever frees may use the parts while it does, and so may the tasks that it starts to do it.
 */
import type { Access } from "parhelion-core";
import type { Task } from "../run/task.js";
import type { Phase, Scene } from "./observer.js";

interface Birth {
  readonly step: number;
  readonly by: string;
  readonly phase: Phase;
}

interface Life {
  /** Of those that live now: two things may have one name. */
  readonly births: Birth[];
  /** When none is left. */
  freed: { readonly step: number; readonly by: Task | null } | null;
  /** Who takes it down; null: nobody has freed it. */
  releasing: Set<Task> | null;
}

export class Lifetimes {
  #lives: Map<string, Life> | null = null;
  #releases: "none" | "some" = "none";

  runBegan(): void {
    this.#lives = null;
    this.#releases = "none";
  }

  allocated(scene: Scene, object: number): void {
    const life = this.#life(scene.objectName(object));
    life.births.push({ step: scene.step, by: scene.task?.name ?? scene.phase, phase: scene.phase });
    life.freed = null;
    life.releasing = null;
  }

  freed(scene: Scene, object: number): void {
    const life = this.#life(scene.objectName(object));
    life.births.shift();
    if (life.births.length > 0) return;
    life.freed = { step: scene.step, by: scene.task };
    life.releasing ??= new Set();
    if (scene.task !== null) life.releasing.add(scene.task);
    this.#releases = "some";
  }

  spawned({ task, step }: Scene, child: Task): void {
    if (this.#releases === "none" || this.#lives === null || task === null) return;
    for (const { freed, releasing } of this.#lives.values()) {
      if (releasing?.has(task) !== true) continue;
      // A task that has freed something is bound to it no longer than its step; one started for it always is.
      if (freed?.by !== task || freed.step === step) releasing.add(child);
    }
  }

  access(scene: Scene, object: number, mode: Access): void {
    if (this.#releases === "none") return;
    const owner = scene.wholeOf(object);
    const life = owner === null ? undefined : this.#lives?.get(owner);
    const { task, step } = scene;
    if (life === undefined || life.freed === null || task === null || task.name === "after") return;
    const { freed, releasing } = life;
    if (releasing?.has(task) === true && (freed.by !== task || freed.step === step)) return;
    scene.fail({
      kind: "use-after-free",
      message:
        `${task.name} uses ${scene.objectName(object)} (${mode}) after ${freed.by?.name ?? "setup"} freed ${owner} ` +
        `in step ${freed.step}`,
      clash: [freed.step, step],
    });
  }

  runEnded(scene: Scene): void {
    for (const [name, { births }] of this.#lives ?? []) {
      // Without an `after` nobody takes down what was there before.
      const left = births.find(({ phase }) => phase === "tasks" || scene.phase === "after");
      if (left === undefined) continue;
      scene.fail({
        kind: "leak",
        message:
          left.step < 0
            ? `${name}, there since setup, is never freed`
            : `${name}, there since step ${left.step} of ${left.by}, is never freed`,
        clash: left.step < 0 ? [] : [left.step],
      });
      return;
    }
  }

  #life(name: string): Life {
    this.#lives ??= new Map();
    let life = this.#lives.get(name);
    if (life === undefined) {
      life = { births: [], freed: null, releasing: null };
      this.#lives.set(name, life);
    }
    return life;
  }
}
