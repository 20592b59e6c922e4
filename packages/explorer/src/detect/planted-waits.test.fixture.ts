/** The planted failures that are about waiting. */
import { Completion, Mutex, RwLock, SpinLock, WaitQueue } from "parhelion-core";
import type { Planted } from "./planted-bug.test.fixture.js";

export const deadlocks: readonly Planted[] = [
  {
    name: "two locks in opposite orders",
    finds: "deadlock",
    clash: ["y: mutex.lock of A", "x: mutex.lock of B"],
    setup(world, version) {
      const [a, b] = [new Mutex(world.runtime, "A"), new Mutex(world.runtime, "B")];
      world.task("x", () => a.withLock(() => b.withLock(() => {})));
      world.task("y", () =>
        version === "mended"
          ? a.withLock(() => b.withLock(() => {}))
          : b.withLock(() => a.withLock(() => {})),
      );
      return undefined;
    },
  },
  {
    name: "a lock is held while waiting for who wants it",
    finds: "deadlock",
    clash: ["remover: completion.wait of idle", "worker: rwlock.read of lock"],
    setup(world, version) {
      const lock = new RwLock(world.runtime, "lock");
      const idle = new Completion(world.runtime, "idle");
      world.task("remover", async () => {
        const guard = await lock.write();
        if (version === "mended") guard.release();
        await idle.wait();
        if (version === "with the bug") guard.release();
      });
      world.task("worker", () => lock.withRead(() => idle.completeAll()));
      return undefined;
    },
  },
  {
    name: "nobody ever says so",
    finds: "deadlock",
    clash: ["a: completion.wait of done"],
    setup(world, version) {
      const done = new Completion(world.runtime, "done");
      world.task("a", () => done.wait());
      world.task("b", async () => {
        if (version === "mended") done.complete();
      });
      return undefined;
    },
  },
];

export const lostWakeups: readonly Planted[] = [
  {
    name: "told between the look and the sleep",
    finds: "lost-wakeup",
    clash: ["waker: store of ready", "sleeper: waitqueue.wait of queue"],
    setup(world, version) {
      const queue = new WaitQueue(world.runtime, "queue");
      const ready = world.atomic("ready", false);
      world.task("sleeper", async () => {
        if (await ready.load()) return;
        let looks = 0;
        await queue.wait(() => (version === "mended" ? ready.peek() : looks++ > 0));
      });
      world.task("waker", async () => {
        await ready.store(true);
        queue.wake();
      });
      return undefined;
    },
  },
  {
    name: "told before what was waited for is so",
    finds: "lost-wakeup",
    clash: ["waker: start of waker", "sleeper: waitqueue.wait of queue"],
    setup(world, version) {
      const queue = new WaitQueue(world.runtime, "queue");
      const ready = { name: "ready", is: false };
      world.task("sleeper", () =>
        queue.wait(() => {
          world.reads(ready);
          return ready.is;
        }),
      );
      world.task("waker", async () => {
        if (version === "with the bug") queue.wake();
        await world.point();
        world.writes(ready);
        ready.is = true;
        if (version === "mended") queue.wake();
      });
      return undefined;
    },
  },
];

export const lockOrders: readonly Planted[] = [
  {
    name: "opposite orders that this program keeps apart",
    finds: "lock-order",
    clash: ["x: mutex.lock of A", "x: mutex.lock of B"],
    setup(world, version) {
      const [a, b] = [new Mutex(world.runtime, "A"), new Mutex(world.runtime, "B")];
      const first = new Completion(world.runtime, "first");
      world.task("x", async () => {
        await a.withLock(() => b.withLock(() => {}));
        first.completeAll();
      });
      world.task("y", async () => {
        await first.wait();
        await (version === "mended"
          ? a.withLock(() => b.withLock(() => {}))
          : b.withLock(() => a.withLock(() => {})));
      });
      return undefined;
    },
  },
];

export const sleepers: readonly Planted[] = [
  {
    name: "an interrupt handler takes a sleeping lock",
    finds: "sleep-in-atomic",
    clash: ["handler: start of handler", "handler: mutex.lock of lock"],
    setup(world, version) {
      const sleeping = new Mutex(world.runtime, "lock");
      const spinning = new SpinLock(world.runtime, "lock");
      const lock = version === "mended" ? spinning : sleeping;
      world.interrupt("handler", () => lock.withLock(() => {}));
      world.task("user", () => lock.withLock(() => world.point()));
      return undefined;
    },
  },
  {
    name: "a completion is waited for with a spinning lock held",
    finds: "sleep-in-atomic",
    clash: ["user: spinlock.lock of lock", "user: completion.wait of done"],
    setup(world, version) {
      const lock = new SpinLock(world.runtime, "lock");
      const done = new Completion(world.runtime, "done");
      world.task("user", async () => {
        const guard = await lock.lock();
        if (version === "mended") guard.release();
        await done.wait();
        if (version === "with the bug") guard.release();
      });
      world.task("other", async () => done.complete());
      return undefined;
    },
  },
];
