/** What a program finds around it. */
import type { LogRecord, Named, Runtime } from "parhelion-core";
import type { Atomic, CallbackWindow, Pool, World } from "../program.js";
import type { ControlledScheduler } from "../run/controlled-scheduler.js";
import type { Lookout } from "../run/lookouts.js";
import { AtomicCell } from "./atomic.js";
import { Window } from "./callback-window.js";
import { Memory } from "./memory.js";
import { CountedPool } from "./pool.js";
import { Shared } from "./shared.js";

export class ProgramWorld implements World {
  readonly runtime: Runtime;
  readonly log: readonly LogRecord[];
  readonly memory: Memory;
  readonly pools: CountedPool[] = [];
  readonly #scheduler: ControlledScheduler;
  #shared: Shared | null = null;
  readonly #always: Lookout[] = [];
  readonly #finally: (() => void)[] = [];
  readonly #tasks: { readonly name: string; readonly run: () => Promise<void> }[] = [];

  constructor(scheduler: ControlledScheduler, runtime: Runtime, log: readonly LogRecord[]) {
    this.#scheduler = scheduler;
    this.runtime = runtime;
    this.log = log;
    this.memory = new Memory(scheduler);
  }

  task(name: string, run: () => Promise<void>): void {
    if (this.#tasks.some((task) => task.name === name)) {
      throw new RangeError(`there is a task ${name} already: give each its own name`);
    }
    if (name === "before" || name === "after" || name === "time") {
      throw new RangeError(`a task can't be called ${name}: reports call something else so`);
    }
    this.#tasks.push({ name, run });
  }

  interrupt(name: string, run: () => Promise<void>): void {
    this.task(name, async () => {
      this.#scheduler.note("atomic", { name });
      await run();
      this.#scheduler.note("sleepable", { name });
    });
  }

  /** What was taken and not given back, as sentences. */
  leaks(): readonly string[] {
    return [
      ...this.pools.flatMap(({ name, taken }) =>
        taken === 0 ? [] : [`${taken} of ${name} are still out at the end`],
      ),
      ...this.memory.left().map((name) => `${name} is never freed`),
    ];
  }

  startTasks(): void {
    for (const { name, run } of this.#tasks) this.#scheduler.start(name, "program", run);
  }

  always(look: () => void, name = "invariant"): void {
    this.#always.push({ name, look });
  }

  finally(look: () => void): void {
    this.#finally.push(look);
  }

  /** What must hold between two steps. */
  get lookouts(): readonly Lookout[] {
    return this.#always;
  }

  /** What must hold at the end. */
  get conclusions(): readonly (() => void)[] {
    return this.#finally;
  }

  point(what = "point"): Promise<void> {
    return this.#scheduler.yield(what, { name: this.#scheduler.task?.name ?? "" });
  }

  expect(holds: boolean, message: string, kind: "expectation" | "invariant" = "expectation"): void {
    if (!holds) this.#scheduler.fail({ kind, message });
  }

  allocate<T extends object>(name: string, fields: T): T {
    return this.memory.allocate(name, fields);
  }

  free(allocation: object): void {
    this.memory.free(allocation);
  }

  track<T extends object>(name: string, fields: T): T {
    return this.memory.track(name, fields);
  }

  share<T extends object>(name: string, value: T): T {
    this.#shared ??= new Shared((on, mode) => this.#scheduler.access(on, mode), [this.runtime]);
    return this.#shared.watch(name, value);
  }

  atomic<T>(name: string, initial: T): Atomic<T> {
    return new AtomicCell(this.#scheduler, name, initial);
  }

  pool(name: string, size: number): Pool {
    const pool = new CountedPool(this.#scheduler, name, size);
    this.pools.push(pool);
    return pool;
  }

  window(name: string): CallbackWindow {
    return new Window(this.#scheduler, name);
  }

  reads(on: Named): void {
    this.#scheduler.access(on, "read");
  }

  writes(on: Named): void {
    this.#scheduler.access(on, "write");
  }
}
