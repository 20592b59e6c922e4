import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createRuntime } from "../runtime.js";
import { type Controlled, interleave, interleavings, times } from "./controlled.test.fixture.js";
import { Mutex } from "./mutex.js";

test("a mutex never has two holders, loses nobody, and ends free", async () => {
  const program = fc.array(
    fc.record({ hold: fc.nat(3), patience: fc.option(fc.nat(3)), fails: fc.boolean() }),
    {
      minLength: 2,
      maxLength: 7,
    },
  );
  await fc.assert(
    fc.asyncProperty(interleavings, times, program, async (choices, time, tasks) => {
      let holders = 0;
      let entered = 0;
      let timedOut = 0;
      let mutex!: Mutex;
      const program = ({ runtime, task }: Controlled) => {
        mutex = new Mutex(runtime, "m");
        for (const [index, { hold, patience, fails }] of tasks.entries()) {
          task(`t${index}`, async () => {
            const options = patience === null ? {} : { deadline: runtime.clock.now() + patience };
            try {
              await mutex.withLock(async () => {
                entered += 1;
                holders += 1;
                assert.equal(holders, 1);
                for (let i = 0; i < hold; i += 1) await runtime.scheduler.yield("hold", mutex);
                holders -= 1;
                if (fails) throw new Error("critical section failed");
              }, options);
              assert.ok(!fails);
            } catch (error) {
              if ((error as { code?: string }).code === "ETIMEDOUT") timedOut += 1;
              else assert.ok(fails);
            }
          });
        }
      };
      await interleave(choices, program, time);
      assert.equal(entered + timedOut, tasks.length);
      if (time === "when idle") assert.equal(timedOut, 0, "nobody sleeps while the lock is free");
      assert.equal(mutex.locked, false);
    }),
    { numRuns: 150 },
  );
});

test("waiters get the lock in the order in which they asked, and nobody overtakes at the hand-over", async () => {
  const runtime = createRuntime();
  const mutex = new Mutex(runtime, "m");
  const order: number[] = [];
  const first = await mutex.lock();
  const waiting = [1, 2, 3].map((id) => mutex.withLock(() => void order.push(id)));
  await new Promise((resolve) => setImmediate(resolve));
  first.release();
  assert.equal(mutex.tryLock(), null, "the lock belongs to the first waiter though it has not run yet");
  await Promise.all(waiting);
  assert.deepEqual(order, [1, 2, 3]);
});

test("a waiter that misses its deadline gets ETIMEDOUT and the next one still gets the lock", async () => {
  const events: string[] = [];
  await interleave([0], ({ runtime, task }) => {
    const mutex = new Mutex(runtime, "m");
    task("holder", async () => {
      const guard = await mutex.lock();
      const sleep = runtime.scheduler.block("sleep", mutex, 50);
      await sleep.wakeup;
      guard.release();
    });
    task("impatient", async () => {
      await assert.rejects(mutex.lock({ deadline: 10 }), { code: "ETIMEDOUT", errno: 110 });
      events.push("timeout");
    });
    task("patient", async () => {
      await mutex.withLock(() => void events.push("locked"));
    });
  });
  assert.deepEqual(events, ["timeout", "locked"]);
});

test("only the guard that holds the lock gives it back, once", async () => {
  const mutex = new Mutex(createRuntime(), "m");
  const guard = await mutex.lock();
  mutex.assertHeld(guard);
  guard.release();
  assert.throws(() => guard.release(), { code: "lock-not-held" });
  const next = await mutex.lock();
  assert.throws(() => guard.release(), { code: "lock-not-held" });
  guard[Symbol.dispose]();
  assert.equal(mutex.locked, true, "disposing of an old guard does not touch the new holder");
  assert.throws(() => mutex.assertHeld(guard), { code: "lock-not-held" });
  next[Symbol.dispose]();
  assert.equal(mutex.locked, false);
});
