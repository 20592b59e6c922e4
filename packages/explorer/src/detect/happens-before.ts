/**
 * Which steps are ordered by synchronisation, with vector clocks: a task's own order, starting and waking a task, and the
 * use of what guards itself ("read" acquires, "write" acquires and releases). Two uses of plain memory ("load", "store")
 * that nothing orders, one of them a store, are a data race, in whatever order this run happened to do them (after
 * FastTrack, Flanagan and Freund 2009).
 *
 * Memory that comes and goes ("alloc") is left to its own detector: a use that races with the free is a use after it
 * in another run.
 *
 * What is known of threads and objects is kept from run to run and begun anew when it is first needed.
 */
import type { Access } from "parhelion-core";
import type { Task } from "../run/task.js";
import type { Scene } from "./observer.js";

type Clock = number[];

interface Use {
  thread: number;
  epoch: number;
  step: number;
}

interface Shadow {
  /** In which it is what it says. */
  run: number;
  /** What was released into the object. */
  readonly released: Clock;
  /** The last one; none if its thread is -1. */
  readonly store: Use;
  /** Since the last store, one per thread: the first `loadCount` of these. */
  readonly loads: Use[];
  loadCount: number;
  life: "memory" | "allocation";
}

export class HappensBefore {
  #run = 0;
  /** By task number: in which run it was seen last, and as which thread. */
  readonly #seenIn: number[] = [];
  readonly #threads: number[] = [];
  /** Of this run, by thread. */
  readonly #tasks: Task[] = [];
  readonly #clocks: Clock[] = [];
  /** By object number. */
  readonly #shadows: Shadow[] = [];

  runBegan(): void {
    this.#run += 1;
    this.#tasks.length = 0;
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

  allocated(object: number): void {
    this.#shadow(object).life = "allocation";
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
        if (shadow.life === "memory") this.#load(scene, task, object, shadow);
        return;
      case "store":
        if (shadow.life === "memory") this.#store(scene, task, object, shadow);
    }
  }

  #load(scene: Scene, task: Task, object: number, shadow: Shadow): void {
    const clock = this.#clock(task);
    const thread = this.#threads[task.number] as number;
    const { store, loads } = shadow;
    if (unordered(store, thread, clock)) this.#report(scene, object, store, "stores", thread, "loads");
    let place = 0;
    while (place < shadow.loadCount && (loads[place] as Use).thread !== thread) place += 1;
    if (place === shadow.loadCount) shadow.loadCount += 1;
    if (place === loads.length) loads.push({ thread, epoch: 0, step: 0 });
    note(loads[place] as Use, thread, clock, scene.step);
  }

  #store(scene: Scene, task: Task, object: number, shadow: Shadow): void {
    const clock = this.#clock(task);
    const thread = this.#threads[task.number] as number;
    const { store, loads } = shadow;
    if (unordered(store, thread, clock)) this.#report(scene, object, store, "stores", thread, "stores");
    for (let place = 0; place < shadow.loadCount; place += 1) {
      const load = loads[place] as Use;
      if (unordered(load, thread, clock)) this.#report(scene, object, load, "loads", thread, "stores");
    }
    shadow.loadCount = 0;
    note(store, thread, clock, scene.step);
  }

  #report(scene: Scene, object: number, first: Use, did: string, second: number, does: string): void {
    const [a, b] = [this.#tasks[first.thread]?.name, this.#tasks[second]?.name];
    scene.warn({
      kind: "data-race",
      message:
        `${a} ${did} ${scene.objectName(object)} in step ${first.step}, ${b} ${does} it in step ${scene.step}: ` +
        "no lock, wake-up or start of a task orders the two",
      clash: [first.step, scene.step],
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
    for (let thread = 0; thread < this.#tasks.length; thread += 1) {
      const other = this.#clocks[thread] as Clock;
      if (other === clock) continue;
      join(clock, other);
      other[thread] = (other[thread] as number) + 1;
    }
  }

  #clock(task: Task): Clock {
    const { number } = task;
    if (this.#seenIn[number] === this.#run) return this.#clocks[this.#threads[number] as number] as Clock;
    while (this.#seenIn.length <= number) {
      this.#seenIn.push(0);
      this.#threads.push(0);
    }
    const thread = this.#tasks.length;
    this.#seenIn[number] = this.#run;
    this.#threads[number] = thread;
    this.#tasks.push(task);
    if (thread === this.#clocks.length) this.#clocks.push([]);
    const clock = this.#clocks[thread] as Clock;
    clock.fill(0);
    while (clock.length <= thread) clock.push(0);
    clock[thread] = 1;
    return clock;
  }

  #shadow(object: number): Shadow {
    while (this.#shadows.length <= object) this.#shadows.push(createShadow());
    const shadow = this.#shadows[object] as Shadow;
    if (shadow.run === this.#run) return shadow;
    shadow.run = this.#run;
    shadow.released.fill(0);
    shadow.store.thread = -1;
    shadow.loadCount = 0;
    shadow.life = "memory";
    return shadow;
  }
}

function createShadow(): Shadow {
  return {
    run: 0,
    released: [],
    store: { thread: -1, epoch: 0, step: 0 },
    loads: [],
    loadCount: 0,
    life: "memory",
  };
}

function note(use: Use, thread: number, clock: Clock, step: number): void {
  use.thread = thread;
  use.epoch = clock[thread] as number;
  use.step = step;
}

/** Whether `first` is of another thread than `thread`, and nothing that `clock` knows of comes after it. */
function unordered(first: Use, thread: number, clock: Clock): boolean {
  return first.thread !== -1 && first.thread !== thread && first.epoch > (clock[first.thread] ?? 0);
}

function join(into: Clock, from: Clock): void {
  while (into.length < from.length) into.push(0);
  for (let i = 0; i < from.length; i += 1) {
    const time = from[i] as number;
    if (time > (into[i] as number)) into[i] = time;
  }
}
