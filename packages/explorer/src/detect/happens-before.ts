/**
 * Which steps are ordered by synchronisation, with vector clocks: a task's own order, starting and waking a task, and the
 * use of what guards itself ("read" acquires, "write" acquires and releases). Two uses of plain memory ("load", "store")
 * that nothing orders, one of them a store, are a data race, in whatever order this run happened to do them (after
 * FastTrack, Flanagan and Freund 2009).
 *
 * Memory that comes and goes ("alloc") is left to its own detector: a use that races with the free is a use after it
 * in another run.
 */
import type { Access, Note } from "parhelion-core";
import type { Task } from "../run/task.js";
import type { Observer, Scene } from "./observer.js";

type Clock = number[];

interface Use {
  readonly thread: number;
  readonly epoch: number;
  readonly step: number;
}

interface Shadow {
  /** What was released into the object. */
  readonly released: Clock;
  store: Use | null;
  /** Since the last store, one per thread. */
  readonly loads: Use[];
  life: "memory" | "allocation";
}

export class HappensBefore implements Observer {
  /** By task number; -1: not in this run yet. */
  readonly #threads: number[] = [];
  readonly #tasks: Task[] = [];
  readonly #clocks: Clock[] = [];
  /** By object number. */
  readonly #shadows: (Shadow | undefined)[] = [];

  runBegan(): void {
    this.#threads.length = 0;
    this.#tasks.length = 0;
    this.#clocks.length = 0;
    this.#shadows.length = 0;
  }

  stepBegan({ task }: Scene): void {
    // It could run only because nothing else could: time comes after all that was done.
    if (task !== null && task.enabledBy === -2) this.#joinAll(this.#clock(task));
  }

  spawned({ task }: Scene, child: Task): void {
    const clock = this.#clock(child);
    // Outside of tasks one part of a run follows another.
    if (task === null) this.#joinAll(clock);
    else this.#release(task, clock);
  }

  woken({ task }: Scene, sleeper: Task): void {
    if (task !== null) this.#release(task, this.#clock(sleeper));
  }

  note(_scene: Scene, note: Note, object: number): void {
    if (note === "alloc") this.#shadow(object).life = "allocation";
  }

  access(scene: Scene, object: number, mode: Access): void {
    const { task } = scene;
    if (task === null) return;
    const shadow = this.#shadow(object);
    switch (mode) {
      case "read":
        join(this.#clock(task), shadow.released);
        return;
      case "write":
        join(this.#clock(task), shadow.released);
        this.#release(task, shadow.released);
        return;
      case "load":
      case "store":
        if (shadow.life === "memory") this.#use(scene, task, object, shadow, mode);
    }
  }

  #use(scene: Scene, task: Task, object: number, shadow: Shadow, mode: "load" | "store"): void {
    const clock = this.#clock(task);
    const thread = this.#threads[task.number] as number;
    const { store, loads } = shadow;
    const use: Use = { thread, epoch: clock[thread] as number, step: scene.step };
    if (store !== null && unordered(store, use, clock))
      this.#report(scene, object, store, "stores", use, mode);
    if (mode === "load") {
      const same = loads.findIndex((load) => load.thread === thread);
      if (same === -1) loads.push(use);
      else loads[same] = use;
      return;
    }
    for (const load of loads) {
      if (unordered(load, use, clock)) this.#report(scene, object, load, "loads", use, mode);
    }
    loads.length = 0;
    shadow.store = use;
  }

  #report(scene: Scene, object: number, first: Use, did: string, second: Use, mode: "load" | "store"): void {
    const [a, b] = [this.#tasks[first.thread]?.name, this.#tasks[second.thread]?.name];
    scene.warn({
      kind: "data-race",
      message:
        `${a} ${did} ${scene.objectName(object)} in step ${first.step}, ${b} ${mode}s it in step ${second.step}: ` +
        "no lock, wake-up or start of a task orders the two",
      clash: [first.step, second.step],
    });
  }

  /** What `task` has done so far comes before whatever has `into`. */
  #release(task: Task, into: Clock): void {
    const clock = this.#clock(task);
    join(into, clock);
    const thread = this.#threads[task.number] as number;
    clock[thread] = (clock[thread] as number) + 1;
  }

  /** All that was done so far comes before what has `clock`. */
  #joinAll(clock: Clock): void {
    for (const [thread, other] of this.#clocks.entries()) {
      if (other === clock) continue;
      join(clock, other);
      other[thread] = (other[thread] as number) + 1;
    }
  }

  #clock(task: Task): Clock {
    const thread = this.#threads[task.number] ?? -1;
    if (thread !== -1) return this.#clocks[thread] as Clock;
    while (this.#threads.length <= task.number) this.#threads.push(-1);
    const next = this.#tasks.length;
    this.#threads[task.number] = next;
    this.#tasks.push(task);
    const clock = new Array<number>(next + 1).fill(0);
    clock[next] = 1;
    this.#clocks.push(clock);
    return clock;
  }

  #shadow(object: number): Shadow {
    const known = this.#shadows[object];
    if (known !== undefined) return known;
    const shadow: Shadow = { released: [], store: null, loads: [], life: "memory" };
    this.#shadows[object] = shadow;
    return shadow;
  }
}

function unordered(first: Use, second: Use, clock: Clock): boolean {
  return first.thread !== second.thread && first.epoch > (clock[first.thread] ?? 0);
}

function join(into: Clock, from: Clock): void {
  while (into.length < from.length) into.push(0);
  for (let i = 0; i < from.length; i += 1) {
    const time = from[i] as number;
    if (time > (into[i] as number)) into[i] = time;
  }
}
