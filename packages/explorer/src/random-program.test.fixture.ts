/** Small programs drawn by chance, from everything that a task can do with the core's primitives and with the world. */
import fc from "fast-check";
import { Completion, Mutex, RwLock, SpinLock, Timer, WaitQueue, type Work, WorkQueue } from "parhelion-core";
import type { Program, World } from "./program.js";

/** Two things of each kind but the dear ones, called 0 and 1. */
const which = fc.integer({ min: 0, max: 1 });
const waits = fc.constantFrom("for ever", "until a deadline");

const simple = fc.oneof(
  fc.record({ do: fc.constantFrom("load", "store", "share", "unshare"), which }),
  fc.record({ do: fc.constantFrom("update", "swap", "exchange"), which }),
  fc.record({ do: fc.constantFrom("complete", "completeAll", "fail", "done"), which }),
  fc.record({ do: fc.constantFrom("raise", "try lock", "try read", "try spin", "locked", "point"), which }),
  fc.record({ do: fc.constantFrom("queue", "start", "cancel", "pending"), which }),
);
const waiting = fc.oneof(
  fc.record({ do: fc.constantFrom("wait", "wait raised"), which, waits }),
  fc.record({ do: fc.constantFrom("flush", "cancel work", "destroy", "cancel timer"), which, waits }),
);
const { op } = fc.letrec<{ op: Op }>((tie) => ({
  op: fc.oneof(
    { weight: 5, arbitrary: simple },
    { weight: 2, arbitrary: waiting },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom("mutex", "read", "write", "spin", "if", "spawn"),
        which,
        waits,
        inner: fc.array(tie("op"), { maxLength: 2 }),
      }),
    },
  ),
}));

export interface Op {
  readonly do: string;
  readonly which: number;
  readonly waits?: string;
  readonly inner?: readonly Op[];
}

export type Tasks = readonly (readonly Op[])[];

export const tasks: fc.Arbitrary<Tasks> = fc.array(fc.array(op, { minLength: 1, maxLength: 3 }), {
  minLength: 2,
  maxLength: 3,
});

/** @returns a program that says at its end what every task saw, and what is left */
export function randomProgram(tasks: Tasks): Program {
  return {
    name: JSON.stringify(tasks),
    setup(world) {
      const things = new Things(world);
      for (const [number, ops] of tasks.entries()) {
        const name = `t${number}`;
        world.task(name, () => things.run(name, ops));
      }
      return things;
    },
    observe: (things) => (things as Things).outcome(),
  };
}

/** What the tasks share, and what each has seen. */
class Things {
  readonly #world: World;
  readonly #memory;
  readonly #shared;
  readonly #atomics;
  readonly #mutexes;
  readonly #locks;
  readonly #spins;
  readonly #completions;
  readonly #queue;
  readonly #raised;
  readonly #work: Work;
  readonly #works;
  readonly #timer;
  readonly #seen = new Map<string, unknown[]>();
  /** How many each has started. */
  readonly #children = new Map<string, number>();

  constructor(world: World) {
    const { runtime } = world;
    const two = <T>(make: (name: string) => T) => [make("0"), make("1")] as const;
    this.#world = world;
    this.#memory = world.track("memory", { 0: 0, 1: 0 } as Record<number, number>);
    this.#shared = world.share("shared", { map: new Map<number, number>() });
    this.#atomics = two((name) => world.atomic(`atomic ${name}`, 0));
    this.#mutexes = two((name) => new Mutex(runtime, `mutex ${name}`));
    this.#locks = two((name) => new RwLock(runtime, `lock ${name}`));
    this.#spins = two((name) => new SpinLock(runtime, `spin ${name}`));
    this.#completions = two((name) => new Completion<number>(runtime, `completion ${name}`));
    this.#queue = new WaitQueue(runtime, "queue");
    this.#raised = world.share("raised", { 0: 0, 1: 0 } as Record<number, number>);
    this.#works = new WorkQueue(runtime, "works");
    this.#work = { name: "work", run: () => this.run("work", [{ do: "store", which: 0 }]) };
    this.#timer = new Timer(runtime, "timer", () => this.run("timer", [{ do: "store", which: 1 }]));
  }

  outcome(): unknown {
    const { 0: zero, 1: one } = this.#memory;
    return [
      [...this.#seen].sort(([a], [b]) => (a < b ? -1 : 1)),
      zero,
      one,
      [...this.#shared.map.entries()].sort(([a], [b]) => a - b),
      this.#atomics.map((cell) => cell.peek()),
    ];
  }

  async run(name: string, ops: readonly Op[]): Promise<void> {
    for (const op of ops) {
      try {
        await this.#do(name, op);
      } catch (error) {
        this.#see(name, error instanceof Error ? error.name : error);
      }
    }
  }

  #see(name: string, value: unknown): void {
    const seen = this.#seen.get(name) ?? [];
    this.#seen.set(name, seen);
    seen.push(value);
  }

  async #do(name: string, op: Op): Promise<void> {
    const at = op.which as 0 | 1;
    const { inner = [] } = op;
    const options = op.waits === "for ever" ? {} : { deadline: 5 };
    const then = () => this.run(name, inner);
    const see = (value: unknown) => this.#see(name, value);
    switch (op.do) {
      case "load":
        return see(this.#memory[at]);
      case "store":
        // Tells in which order tasks stored.
        this.#memory[at] = ((this.#memory[at] ?? 0) * 31 + name.charCodeAt(name.length - 1)) % 10_007;
        return;
      case "share":
        this.#shared.map.set(at, this.#shared.map.size);
        return;
      case "unshare":
        return see(this.#shared.map.delete(at));
      case "update":
        return see(await this.#atomics[at].update((value) => value + 1));
      case "swap":
        return see(await this.#atomics[at].compareAndSwap(0, 2));
      case "exchange":
        return see(await this.#atomics[at].exchange(0));
      case "complete":
        return this.#completions[at].complete(1);
      case "completeAll":
        return this.#completions[at].completeAll(2);
      case "fail":
        return this.#completions[at].fail("failed");
      case "done":
        return see(this.#completions[at].done);
      case "raise":
        this.#raised[at] = 1;
        return this.#queue.wake();
      case "try lock":
        return see(this.#mutexes[at].tryLock()?.release() === undefined);
      case "locked":
        return see(this.#mutexes[at].locked);
      case "try read": {
        const guard = this.#locks[at].tryRead();
        await this.#world.point();
        guard?.release();
        return see(guard !== null);
      }
      case "try spin": {
        const guard = this.#spins[at].tryLock();
        guard?.release();
        return see(guard !== null);
      }
      case "point":
        return this.#world.point();
      case "queue":
        return see(this.#works.queue(this.#work));
      case "start":
        return see(this.#timer.start(at));
      case "cancel":
        return see(this.#timer.cancel());
      case "pending":
        return see(this.#timer.pending);
      case "wait":
        return see(await this.#completions[at].wait(options));
      case "wait raised":
        return this.#queue.wait(() => this.#raised[at] === 1, options);
      case "flush":
        return this.#works.flush(options);
      case "cancel work":
        return see(await this.#works.cancelSync(this.#work, options));
      case "destroy":
        return this.#works.destroy(options);
      case "cancel timer":
        return see(await this.#timer.cancelSync(options));
      case "mutex":
        return this.#mutexes[at].withLock(then, options);
      case "read":
        return this.#locks[at].withRead(then, options);
      case "write":
        return this.#locks[at].withWrite(then, options);
      case "spin":
        return this.#spins[at].withLock(then, options);
      case "if":
        // What comes next depends on what others did before.
        return this.#memory[at] === 0 ? then() : undefined;
      case "spawn": {
        const number = (this.#children.get(name) ?? 0) + 1;
        this.#children.set(name, number);
        const child = `${name}${number}`;
        this.#world.runtime.scheduler.spawn(child, () => this.run(child, inner));
        return;
      }
      default:
        throw new Error(`no such operation: ${op.do}`);
    }
  }
}
