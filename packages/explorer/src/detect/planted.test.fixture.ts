/** For every kind of failure small programs that have it, and the same programs mended. */
import { BugError, Completion, type Guard, Mutex, Refcount } from "parhelion-core";
import type { Planted } from "./planted-bug.test.fixture.js";
import { deadlocks, lockOrders, lostWakeups, sleepers } from "./planted-waits.test.fixture.js";

const counting: Planted = {
  name: "two tasks count without a lock",
  finds: "data-race",
  clash: ["a: point of a", "b: start of b"],
  setup(world, version) {
    const shared = world.track("shared", { count: 0 });
    const lock = new Mutex(world.runtime, "lock");
    for (const name of ["a", "b"]) {
      world.task(name, async () => {
        const guard = version === "mended" ? await lock.lock() : null;
        const before = shared.count;
        await world.point();
        shared.count = before + 1;
        guard?.release();
      });
    }
    return undefined;
  },
};

const flag: Planted = {
  name: "a flag says that data is there, and the flag is plain memory",
  finds: "data-race",
  clash: ["writer: point of writer", "reader: start of reader"],
  setup(world, version) {
    const data = world.track("data", { value: 0, ready: false });
    const ready = world.atomic("ready", false);
    world.task("writer", async () => {
      data.value = 1;
      await world.point();
      if (version === "mended") await ready.store(true);
      else data.ready = true;
    });
    world.task("reader", async () => {
      if (version === "mended" ? await ready.load() : data.ready) world.expect(data.value === 1, "no data");
    });
    return undefined;
  },
};

const lostUpdate: Planted = {
  name: "an atomic is loaded and stored where it should be updated",
  finds: "expectation",
  clash: [],
  setup(world, version) {
    const count = world.atomic("count", 0);
    for (const name of ["a", "b"]) {
      world.task(name, async () => {
        if (version === "mended") await count.update((value) => value + 1);
        else await count.store((await count.load()) + 1);
      });
    }
    return { after: async () => world.expect(count.peek() === 2, `two increments make ${count.peek()}`) };
  },
};

const thrown: Planted = {
  name: "an exception leaves a task when the other was first",
  finds: "exception",
  clash: [],
  setup(world, version) {
    const slot = world.atomic<string | null>("slot", null);
    for (const name of ["a", "b"]) {
      world.task(name, async () => {
        if (!(await slot.compareAndSwap(null, name)) && version === "with the bug")
          throw new Error("slot is taken");
      });
    }
    return undefined;
  },
};

const logged: Planted = {
  name: "a broken rule is caught, and only logged",
  finds: "exception",
  clash: [],
  setup(world, version) {
    world.task("a", async () => {
      try {
        if (version === "with the bug") throw new BugError("illegal-transition", "idle → idle");
      } catch (error) {
        world.runtime.log("error", "work.failed", { error });
      }
    });
    return undefined;
  },
};

const closedWhileRead: Planted = {
  name: "a buffer is freed while the other still reads",
  finds: "use-after-free",
  clash: ["closer: close of closer", "reader: read of reader"],
  setup(world, version) {
    const buffer = world.allocate("buffer", { bytes: 3 });
    const references = new Refcount(world.runtime, "references", () => world.free(buffer));
    if (version === "mended") references.get();
    world.task("reader", async () => {
      await world.point("read");
      world.expect(buffer.bytes === 3, "other bytes");
      if (version === "mended") references.put();
    });
    world.task("closer", async () => {
      await world.point("close");
      references.put();
    });
    return undefined;
  },
};

const partOfTheGone: Planted = {
  name: "a lock is taken that lies in what was freed",
  finds: "use-after-free",
  clash: ["closer: start of closer", "user: mutex.lock of lock of thing"],
  setup(world, version) {
    const thing = new Refcount(world.runtime, "thing", () => {});
    const lock = new Mutex(world.runtime, "lock of thing");
    world.task("user", async () => {
      if (version === "mended" && !thing.tryGet()) return;
      await lock.withLock(() => {});
      if (version === "mended") thing.put();
    });
    world.task("closer", async () => thing.put());
    return undefined;
  },
};

const freedTwice: Planted = {
  name: "both of two closers free",
  finds: "double-free",
  clash: ["b: store of open", "a: store of open"],
  setup(world, version) {
    const buffer = world.allocate("buffer", {});
    const open = world.atomic("open", true);
    for (const name of ["a", "b"]) {
      world.task(name, async () => {
        const mine = version === "mended" ? await open.exchange(false) : await open.load();
        if (version === "with the bug") await open.store(false);
        if (mine) world.free(buffer);
      });
    }
    return undefined;
  },
};

const givenTwice: Planted = {
  name: "an id is given back by who took none",
  finds: "double-free",
  clash: [],
  setup(world, version) {
    const ids = world.pool("ids", 1);
    for (const name of ["a", "b"]) {
      world.task(name, async () => {
        const took = ids.take();
        await world.point();
        if (took || version === "with the bug") ids.give();
      });
    }
    return undefined;
  },
};

const kept: Planted = {
  name: "a reference is kept on one of two ways out",
  finds: "leak",
  clash: ["opener: start of opener"],
  setup(world, version) {
    const gone = world.atomic("gone", false);
    world.task("opener", async () => {
      const file = new Refcount(world.runtime, "file", () => {});
      if (await gone.load()) {
        if (version === "mended") file.put();
        return;
      }
      file.put();
    });
    world.task("remover", () => gone.store(true));
    return undefined;
  },
};

const idKept: Planted = {
  name: "an id is not given back",
  finds: "leak",
  clash: [],
  setup(world, version) {
    const ids = world.pool("ids", 2);
    world.task("a", async () => {
      world.expect(ids.take(), "no id is left");
      if (version === "mended") ids.give();
    });
    return undefined;
  },
};

const keptLock: Planted = {
  name: "an error leaves a lock locked",
  finds: "lock-misuse",
  clash: ["a: mutex.lock of lock", "a: point of a"],
  setup(world, version) {
    const lock = new Mutex(world.runtime, "lock");
    world.task("a", async () => {
      const guard = await lock.lock();
      await world.point();
      if (version === "mended") guard.release();
    });
    return undefined;
  },
};

const unlockedByAnother: Planted = {
  name: "a task gives back the lock of another",
  finds: "lock-misuse",
  clash: ["owner: mutex.lock of lock", "other: completion.wait of handed"],
  setup(world, version) {
    const lock = new Mutex(world.runtime, "lock");
    const handed = new Completion<Guard>(world.runtime, "handed");
    const back = new Completion(world.runtime, "back");
    world.task("owner", async () => {
      const guard = await lock.lock();
      handed.complete(guard);
      await back.wait();
      if (version === "mended") guard.release();
    });
    world.task("other", async () => {
      const guard = await handed.wait();
      if (version === "with the bug") guard.release();
      back.complete();
    });
    return undefined;
  },
};

const late: Planted = {
  name: "an interrupt comes after it was switched off, and nobody waits for it",
  finds: "outside-window",
  clash: [],
  setup(world, version) {
    const interrupts = world.window("interrupts");
    const lock = new Mutex(world.runtime, "lock");
    interrupts.open();
    let on = true;
    const enabled = { name: "enabled" };
    world.task("interrupt", async () => {
      const guard = version === "mended" ? await lock.lock() : null;
      world.reads(enabled);
      if (on) await interrupts.during("interrupt", () => world.point("handle"));
      guard?.release();
    });
    world.task("remove", async () => {
      const guard = version === "mended" ? await lock.lock() : null;
      world.writes(enabled);
      on = false;
      interrupts.close();
      guard?.release();
    });
    return undefined;
  },
};

const politeTasks: Planted = {
  name: "two tasks make way for each other for ever",
  finds: "livelock",
  clash: [],
  setup(world, version) {
    const wants = [world.atomic("first wants", false), world.atomic("second wants", false)];
    for (const [own, name] of ["first", "second"].entries()) {
      world.task(name, async () => {
        for (;;) {
          await wants[own]?.store(true);
          if (!(await wants[1 - own]?.load())) break;
          if (version === "mended") break;
          await wants[own]?.store(false);
        }
      });
    }
    return undefined;
  },
};

const outside: Planted = {
  name: "a wait for the event loop's own timer",
  finds: "uncontrolled",
  clash: [],
  setup(world, version) {
    world.task("a", () =>
      version === "mended"
        ? world.point()
        : new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
    );
    return undefined;
  },
};

const half: Planted = {
  name: "a sum is not kept between two steps",
  finds: "invariant",
  clash: [],
  setup(world, version) {
    const accounts = { name: "accounts", from: 5, to: 0 };
    world.task("pay", async () => {
      world.writes(accounts);
      accounts.from -= 1;
      if (version === "with the bug") await world.point();
      accounts.to += 1;
    });
    return {
      invariant: () => {
        if (accounts.from + accounts.to !== 5) throw new Error("money is on its way");
      },
    };
  },
};

export const planted: readonly Planted[] = [
  counting,
  flag,
  lostUpdate,
  thrown,
  logged,
  closedWhileRead,
  partOfTheGone,
  freedTwice,
  givenTwice,
  kept,
  idKept,
  ...deadlocks,
  ...lostWakeups,
  ...lockOrders,
  keptLock,
  unlockedByAnother,
  ...sleepers,
  late,
  politeTasks,
  outside,
  half,
];
