/** The primitives that everything waits with, deadlines that pass at any moment included. */
import {
  Completion,
  call,
  isKernelError,
  Mutex,
  Refcount,
  RwLock,
  Timer,
  WaitQueue,
  type Work,
  WorkQueue,
} from "parhelion-core";
import type { CheckOptions } from "../check.js";
import type { Program, World } from "../program.js";

/** Every deadline may pass at any step. */
export const anyDeadline: Partial<CheckOptions> = { anyTime: "timers and deadlines", deadlines: "expected" };

async function unlessLate(run: () => Promise<unknown>): Promise<"done" | "late"> {
  try {
    await run();
    return "done";
  } catch (error) {
    if (isKernelError(error, "ETIMEDOUT")) return "late";
    throw error;
  }
}

/** Notices when two are inside that may not be. */
class Room {
  readonly #inside: { readers: number; writers: number };
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.#inside = world.track("room", { readers: 0, writers: 0 });
  }

  async write(): Promise<void> {
    this.#world.expect(this.#inside.readers + this.#inside.writers === 0, "a writer is not alone");
    this.#inside.writers += 1;
    await this.#world.point("inside");
    this.#inside.writers -= 1;
  }

  async read(): Promise<void> {
    this.#world.expect(this.#inside.writers === 0, "a reader meets a writer");
    await this.#world.point("inside");
    this.#world.expect(this.#inside.writers === 0, "a writer comes in while a reader is inside");
  }
}

export const mutexExcludes: Program = {
  name: "three tasks share a mutex, and any of them may give up waiting",
  setup(world) {
    const mutex = new Mutex(world.runtime, "mutex");
    const room = new Room(world);
    for (const name of ["a", "b", "c"]) {
      world.task(name, async () => {
        await unlessLate(() => mutex.withLock(() => room.write(), { deadline: 10 }));
      });
    }
    return mutex;
  },
  after(mutex, world) {
    world.expect(!(mutex as Mutex).locked, "the mutex is held though everybody has left");
    return Promise.resolve();
  },
};

export const rwlockExcludes: Program = {
  name: "two readers and a writer share a lock, and any of them may give up waiting",
  setup(world) {
    const lock = new RwLock(world.runtime, "rwlock");
    const room = new Room(world);
    world.task("reader 1", async () => {
      await unlessLate(() => lock.withRead(() => room.read(), { deadline: 10 }));
    });
    world.task("reader 2", async () => {
      await unlessLate(() => lock.withRead(() => room.read(), { deadline: 10 }));
    });
    world.task("writer", async () => {
      await unlessLate(() => lock.withWrite(() => room.write(), { deadline: 10 }));
    });
    return lock;
  },
  async after(lock) {
    (await (lock as RwLock).write()).release();
  },
};

export const completionReachesOne: Program = {
  name: "a completion is given twice to three who wait, and any of them may give up",
  setup(world) {
    const completion = new Completion<number>(world.runtime, "completion");
    const got = world.atomic("got", 0);
    const late = world.atomic("late", 0);
    for (const name of ["a", "b", "c"]) {
      world.task(name, async () => {
        const how = await unlessLate(() => completion.wait({ deadline: 10 }));
        await (how === "done" ? got : late).update((count) => count + 1);
      });
    }
    world.task("giver", async () => {
      completion.complete(1);
      await world.point();
      completion.complete(2);
    });
    return { completion, got, late };
  },
  after(shared, world) {
    const { completion, got, late } = shared as {
      completion: Completion<number>;
      got: { peek(): number };
      late: { peek(): number };
    };
    world.expect(got.peek() + late.peek() === 3, "somebody still waits");
    world.expect(
      completion.done === got.peek() < 2,
      `${got.peek()} of 2 were taken, left over: ${completion.done}`,
    );
    return Promise.resolve();
  },
};

export const completionFails: Program = {
  name: "a completion is given to all and fails at once; everybody hears the same",
  setup(world) {
    const completion = new Completion<string>(world.runtime, "completion");
    const heard = world.track("heard", { first: "", second: "" });
    for (const name of ["first", "second"] as const) {
      world.task(name, async () => {
        heard[name] = await completion.wait().catch((error: unknown) => String(error));
      });
    }
    world.task("giver", () => {
      completion.completeAll("given");
      return Promise.resolve();
    });
    world.task("breaker", () => {
      completion.fail("broken");
      return Promise.resolve();
    });
    return heard;
  },
  after(heard, world) {
    const { first, second } = heard as { first: string; second: string };
    world.expect(first === second && first !== "", `heard "${first}" and "${second}"`);
    return Promise.resolve();
  },
};

export const waitQueueLosesNothing: Program = {
  name: "a condition becomes true in two steps while two wait for it",
  setup(world) {
    const queue = new WaitQueue(world.runtime, "queue");
    const state = { name: "condition", value: 0 };
    for (const [name, needed] of [
      ["waits for 1", 1],
      ["waits for 2", 2],
    ] as const) {
      world.task(name, () =>
        queue.wait(() => {
          world.reads(state);
          return state.value >= needed;
        }),
      );
    }
    for (const name of ["first", "second"]) {
      world.task(name, () => {
        world.writes(state);
        state.value += 1;
        queue.wake();
        return Promise.resolve();
      });
    }
  },
};

export const workIsCancelled: Program = {
  name: "work is queued twice, cancelled and its memory freed",
  setup(world) {
    const queue = new WorkQueue(world.runtime, "queue");
    const state = world.allocate("what the work uses", { runs: 0 });
    const work: Work = {
      name: "work",
      run: async () => {
        state.runs += 1;
        await world.point("work");
        state.runs += 1;
      },
    };
    queue.queue(work);
    world.task("queue", () => {
      queue.queue(work);
      return Promise.resolve();
    });
    world.task("cancel", async () => {
      await queue.destroy();
      await queue.cancelSync(work);
      world.free(state);
    });
  },
};

export const workIsFlushed: Program = {
  name: "two pieces of work are queued by two tasks; a flush waits for what was queued before it",
  setup(world) {
    const queue = new WorkQueue(world.runtime, "queue");
    const done = world.track("done", { a: 0, b: 0 });
    const work = (name: "a" | "b"): Work => ({
      name,
      run: async () => {
        await world.point(name);
        done[name] += 1;
      },
    });
    const [a, b] = [work("a"), work("b")];
    world.task("a", async () => {
      queue.queue(a);
      await queue.flush();
      world.expect(done.a === 1, "flush returned before the work was done");
    });
    world.task("b", async () => {
      queue.queue(b);
      await queue.flush();
      world.expect(done.b === 1, "flush returned before the work was done");
    });
  },
};

export const timerIsCancelled: Program = {
  name: "a timer is started, fires at any moment, is cancelled and its memory freed",
  setup(world) {
    const state = world.allocate("what the timer uses", { runs: 0 });
    const timer = new Timer(world.runtime, "timer", async () => {
      state.runs += 1;
      await world.point("expired");
      state.runs += 1;
    });
    timer.start(5);
    world.task("restart", () => {
      timer.start(10);
      return Promise.resolve();
    });
    world.task("cancel", async () => {
      await world.point();
      await timer.cancelSync();
    });
    return { timer, state };
  },
  async after(shared, world) {
    const { timer, state } = shared as { timer: Timer; state: object };
    await timer.cancelSync();
    world.free(state);
  },
};

export const refcountReleasesOnce: Program = {
  name: "two tasks look an object up and use it while its creator lets go",
  setup(world) {
    const memory = world.allocate("object", { uses: 0 });
    const count = new Refcount(world.runtime, "object's count", () => world.free(memory));
    for (const name of ["a", "b"]) {
      world.task(name, async () => {
        await world.point("look up");
        if (!count.tryGet()) return;
        await world.point("use");
        void memory.uses;
        count.put();
      });
    }
    world.task("creator", () => {
      count.put();
      return Promise.resolve();
    });
  },
};

export const callsAreAnswered: Program = {
  name: "a call's deadline passes at any moment; what it has not begun it never does",
  setup(world) {
    const mutex = new Mutex(world.runtime, "mutex");
    const did = world.atomic("did", 0);
    world.task("caller", async () => {
      const how = await unlessLate(() =>
        call(
          world.runtime,
          "call",
          (stillWanted) =>
            mutex.withLock(async () => {
              stillWanted();
              await did.update((count) => count + 1);
            }),
          { deadline: 10 },
        ),
      );
      if (how === "done") world.expect(did.peek() === 1, "answered, and not done");
    });
    world.task("holder", async () => {
      await unlessLate(() => mutex.withLock(() => world.point("holds")));
    });
    return mutex;
  },
};
