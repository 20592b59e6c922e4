/**
 * All that is looked for in every run, as one observer, so that a use or a note costs one call for each detector that it
 * concerns and none for the others. One object per search: it serves one run after the other.
 */
import type { Access, Note } from "parhelion-core";
import type { Task } from "../run/task.js";
import { HappensBefore } from "./happens-before.js";
import { HeldLocks } from "./held-locks.js";
import { Lifetimes } from "./lifetimes.js";
import { LockOrder } from "./lock-order.js";
import type { Observer, Scene } from "./observer.js";
import { SleepInAtomic } from "./sleep-in-atomic.js";
import { Stuck } from "./stuck.js";

export class Detectors implements Observer {
  readonly lockOrder: LockOrder;
  readonly #locks = new HeldLocks();
  readonly #order = new HappensBefore();
  readonly #atomic = new SleepInAtomic();
  readonly #lives = new Lifetimes();
  readonly #stuck: Stuck;

  constructor() {
    this.lockOrder = new LockOrder(this.#locks);
    this.#stuck = new Stuck(this.#locks);
  }

  runBegan(): void {
    this.#locks.runBegan();
    this.#order.runBegan();
    this.#atomic.runBegan();
    this.#lives.runBegan();
    this.#stuck.runBegan();
  }

  stepBegan(scene: Scene): void {
    this.#order.stepBegan(scene);
    this.#atomic.stepBegan(scene);
  }

  access(scene: Scene, object: number, mode: Access): void {
    this.#order.access(scene, object, mode);
    this.#lives.access(scene, object, mode);
  }

  note(scene: Scene, note: Note, object: number): void {
    switch (note) {
      case "lock":
      case "lock-shared":
        // It asks what the task held before.
        this.lockOrder.taken(scene, object);
        this.#locks.taken(scene, object, note === "lock" ? "exclusive" : "shared");
        return;
      case "unlock":
        this.#locks.givenBack(scene, object);
        return;
      case "alloc":
        this.#order.allocated(object);
        this.#lives.allocated(scene, object);
        return;
      case "free":
        this.#lives.freed(scene, object);
        return;
      case "atomic":
        this.#atomic.entered(scene, object);
        return;
      case "sleepable":
        this.#atomic.left(scene, object);
        return;
      case "wake":
        this.#stuck.told(scene, object);
    }
  }

  spawned(scene: Scene, child: Task): void {
    this.#order.spawned(scene, child);
    this.#lives.spawned(scene, child);
  }

  blocked(scene: Scene, object: number): void {
    this.#atomic.blocked(scene);
    this.#stuck.blocked(scene, object);
  }

  woken(scene: Scene, task: Task): void {
    this.#order.woken(scene, task);
    this.#stuck.woken(task);
  }

  ended(scene: Scene, task: Task): void {
    this.#locks.ended(scene, task);
    this.#atomic.ended(task);
  }

  stuck(scene: Scene, waiting: readonly Task[]): void {
    this.#stuck.stuck(scene, waiting);
  }

  runEnded(scene: Scene): void {
    this.#lives.runEnded(scene);
  }
}
