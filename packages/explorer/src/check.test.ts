import assert from "node:assert/strict";
import { test } from "node:test";
import { Completion, Mutex } from "parhelion-core";
import { check } from "./check.js";
import type { Method } from "./method.js";
import type { Program, World } from "./program.js";
import { counters, moody } from "./programs.test.fixture.js";
import { replay } from "./replay.js";

const thorough: readonly Method[] = ["optimal", "source", "sleep sets", "every"];

test("every thorough method finds the lost update, and exhausts the program that takes the lock", async () => {
  for (const method of thorough) {
    const unsafe = await check(counters(2, "unlocked"), { method });
    assert.equal(unsafe.verdict, "unsafe");
    assert.equal(unsafe.failure?.message, "2 increments make 1");
    const safe = await check(counters(2, "locked"), { method });
    assert.deepEqual([safe.verdict, safe.coverage, safe.failure], ["safe", "everything", null]);
  }
});

test("the reduced searches need fewer runs than the one that takes every order", async () => {
  const runs = new Map<Method, number>();
  for (const method of thorough) runs.set(method, (await check(counters(3, "locked"), { method })).runs);
  assert.equal(runs.get("optimal"), runs.get("source"));
  assert.ok((runs.get("optimal") as number) < (runs.get("every") as number));
});

test("a cap on runs, and one on steps, make the verdict unknown", async () => {
  const capped = await check(counters(3, "locked"), { maxRuns: 2 });
  assert.deepEqual([capped.verdict, capped.runs], ["unknown", 2]);
  const cut = await check(counters(2, "locked"), { maxSteps: 3 });
  assert.equal(cut.verdict, "unknown");
  assert.ok(cut.cut > 0);
});

test("bounds on preemptions are done one after the other, and each tells its runs", async () => {
  const bounded = await check(counters(2, "unlocked"), {
    method: { preemptions: [0, 1, 2, 3] },
    afterFailure: "go on",
  });
  assert.deepEqual(
    bounded.bounds.map(({ preemptions, failed }) => [preemptions, failed > 0]),
    [
      [0, false],
      [1, true],
      [2, true],
      [3, true],
    ].slice(0, bounded.bounds.length),
  );
  assert.equal(bounded.verdict, "unsafe");
  const none = await check(counters(2, "unlocked"), { method: { preemptions: 0 } });
  assert.deepEqual([none.verdict, none.coverage], ["unknown", "bound"]);
  const enough = await check(counters(2, "locked"), { method: { preemptions: [0, 1, 2, 3, 4, 5, 6] } });
  assert.deepEqual([enough.verdict, enough.coverage], ["safe", "everything"]);
  await assert.rejects(check(counters(2, "locked"), { method: { preemptions: -1 } }), RangeError);
});

test("a sample finds what is easy to find, and never calls anything safe", async () => {
  for (const method of [
    { random: { runs: 100, seed: 1 } },
    { pct: { depth: 3, runs: 100, seed: 1 } },
  ] as const) {
    assert.equal((await check(counters(2, "unlocked"), { method })).verdict, "unsafe");
    const safe = await check(counters(2, "locked"), { method });
    assert.deepEqual([safe.verdict, safe.runs], ["unknown", 100]);
  }
});

test("going on after a failure counts every trace and each kind", async () => {
  const all = await check(counters(2, "unlocked"), { afterFailure: "go on" });
  assert.deepEqual(all.kinds, { expectation: all.failed });
  assert.ok(all.failed > 0 && all.failed < all.runs);
});

test("a program that is another one every time is reported as such", async () => {
  const { failure } = await check(moody());
  assert.equal(failure?.kind, "uncontrolled");
  assert.match(failure?.message ?? "", /one schedule leads to different runs|led elsewhere/);
});

test("a run without end that gets somewhere is no livelock, and not known to be safe", async () => {
  const counting: Program = {
    name: "counting",
    setup(world) {
      const count = world.atomic("count", 0);
      world.task("a", async () => {
        for (;;) await count.update((value) => value + 1);
      });
    },
  };
  const { verdict, failure, cut } = await check(counting, { maxSteps: 50 });
  assert.deepEqual([verdict, failure, cut], ["unknown", null, 1]);
});

test("what waits without a task, or twice at once, or in setup, is told apart", async () => {
  const messages: string[] = [];
  const setups: readonly ((world: World) => void)[] = [
    (world) =>
      world.task("both", async () => {
        await Promise.all([world.point("one"), world.point("two")]);
      }),
    (world) => void world.point("in setup"),
    (world) => world.task("never", () => new Promise(() => {})),
  ];
  for (const setup of setups) {
    const { failure } = await check({ name: "uncontrolled", setup });
    assert.equal(failure?.kind, "uncontrolled");
    messages.push(failure?.message ?? "");
  }
  assert.match(
    messages[0] ?? "",
    /^both waits twice at once \(one of both, and two of both\): start a second task/,
  );
  assert.match(messages[1] ?? "", /is waited for outside of any task/);
  assert.match(
    messages[2] ?? "",
    /^never went on from start of never and now waits for something that is no primitive/,
  );
});

test("a circle of lock orders says in which schedules each order is taken", async () => {
  const orders: Program = {
    name: "orders",
    setup(world) {
      const [a, b] = [new Mutex(world.runtime, "A"), new Mutex(world.runtime, "B")];
      const turn = new Completion(world.runtime, "turn");
      world.task("x", async () => {
        await a.withLock(() => b.withLock(() => {}));
        turn.complete();
      });
      world.task("y", async () => {
        await turn.wait();
        await b.withLock(() => a.withLock(() => {}));
      });
    },
  };
  const { failure } = await check(orders);
  const [, first = "", second = ""] =
    /^locks are taken in opposite orders: x takes B while it holds A \(schedule "(\w+)"\); y takes A while it holds B \(schedule "(\w+)"\)$/.exec(
      failure?.message ?? "",
    ) ?? [];
  for (const [schedule, held, taken] of [
    [first, "A", "B"],
    [second, "B", "A"],
  ] as const) {
    const { steps } = await replay(orders, schedule);
    assert.ok(
      steps.some(
        (step) =>
          step.held.includes(held) &&
          step.notes.some(({ note, object }) => note === "lock" && object === taken),
      ),
    );
  }
  assert.equal((await check(orders, { ignore: ["lock-order"] })).verdict, "safe");
});

test("no order of locks counts where it is only tried, or under a common lock, or within one task", async () => {
  const harmless: readonly ((world: World, a: Mutex, b: Mutex) => void)[] = [
    (world, a, b) => {
      world.task("x", () => a.withLock(() => b.withLock(() => {})));
      world.task("y", () => b.withLock(() => a.tryLock()?.release()));
    },
    (world, a, b) => {
      const gate = new Mutex(world.runtime, "gate");
      world.task("x", () => gate.withLock(() => a.withLock(() => b.withLock(() => {}))));
      world.task("y", () => gate.withLock(() => b.withLock(() => a.withLock(() => {}))));
    },
    (world, a, b) => {
      world.task("x", async () => {
        await a.withLock(() => b.withLock(() => {}));
        await b.withLock(() => a.withLock(() => {}));
      });
    },
  ];
  for (const setup of harmless) {
    const { verdict, failure } = await check({
      name: "harmless",
      setup: (world) => setup(world, new Mutex(world.runtime, "A"), new Mutex(world.runtime, "B")),
    });
    assert.deepEqual([verdict, failure], ["safe", null]);
  }
});

test("what throws at once, returns no promise, or is async where it may not be, is reported", async () => {
  const wrong = [
    [
      { setup: (world: World) => world.task("t", (() => 1) as unknown as () => Promise<void>) },
      /^t: .*must return a promise/,
    ],
    [
      {
        setup: (world: World) =>
          world.task("t", () => {
            throw new Error("at once");
          }),
      },
      /^t: Error: at once/,
    ],
    [{ setup: async () => {} }, /^setup: TypeError: it must not be async/],
    [{ setup: () => {}, invariant: async () => Promise.reject(new Error("lost")) }, /no async$/],
    [{ setup: () => {}, observe: async () => 1 }, /no async$/],
    [{ setup: (world: World) => world.task("after", async () => {}) }, /a task can't be called after/],
  ] as const;
  for (const [parts, message] of wrong) {
    const { failure } = await check({ name: "wrong", ...parts });
    assert.match(failure?.message ?? "", message);
  }
});
