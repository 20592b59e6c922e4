import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createRuntime } from "../runtime.js";
import { type Controlled, interleave, interleavings, times } from "./controlled.test.fixture.js";
import { RwLock } from "./rwlock.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a writer is alone, readers share, everybody gets in or times out, and the lock ends free", async () => {
  const program = fc.array(
    fc.record({
      mode: fc.constantFrom("read" as const, "write" as const),
      sleep: fc.nat(4),
      patience: fc.nat(12),
    }),
    { minLength: 2, maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(interleavings, times, program, async (choices, time, tasks) => {
      let readers = 0;
      let writers = 0;
      let ended = 0;
      let lock!: RwLock;
      const program = ({ runtime, task }: Controlled) => {
        lock = new RwLock(runtime, "rw");
        for (const [index, { mode, sleep, patience }] of tasks.entries()) {
          task(`${mode}${index}`, async () => {
            try {
              const guard = await lock[mode]({ deadline: patience });
              if (mode === "read") readers += 1;
              else writers += 1;
              assert.ok(
                writers === 0 || (writers === 1 && readers === 0),
                `${writers} writers, ${readers} readers`,
              );
              await runtime.scheduler.block("work", lock, runtime.clock.now() + sleep).wakeup;
              if (mode === "read") readers -= 1;
              else writers -= 1;
              guard.release();
            } catch (error) {
              assert.equal((error as { code?: string }).code, "ETIMEDOUT");
            }
            ended += 1;
          });
        }
      };
      const { scheduler } = await interleave(choices, program, time);
      assert.equal(ended, tasks.length);
      (lock.tryRead() ?? assert.fail("the lock does not end free")).release();
      assert.deepEqual([...scheduler.blocked], []);
    }),
    { numRuns: 200 },
  );
});

test("a reader that comes after a waiting writer waits behind it", async () => {
  const lock = new RwLock(createRuntime(), "rw");
  const order: string[] = [];
  const reader = await lock.read();
  const writer = lock.withWrite(() => void order.push("write"));
  await turn();
  const late = lock.withRead(() => void order.push("read"));
  assert.equal(lock.tryRead(), null);
  await turn();
  assert.deepEqual(order, []);
  reader.release();
  await Promise.all([writer, late]);
  assert.deepEqual(order, ["write", "read"]);
});

test("readers behind a writer that gives up get in though the first reader stays", async () => {
  const events: string[] = [];
  await interleave([0], ({ runtime, task }) => {
    const lock = new RwLock(runtime, "rw");
    task("reader", async () => {
      const guard = await lock.read();
      await runtime.scheduler.block("stay", lock, 500).wakeup;
      events.push("first reader leaves");
      guard.release();
    });
    task("writer", async () => {
      await assert.rejects(lock.write({ deadline: 10 }), { code: "ETIMEDOUT" });
    });
    task("late reader", () => lock.withRead(() => void events.push("late reader in")));
  });
  assert.deepEqual(events, ["late reader in", "first reader leaves"]);
});

test("a guard is released once", async () => {
  const lock = new RwLock(createRuntime(), "rw");
  const guard = await lock.read();
  guard.release();
  assert.throws(() => guard.release(), { code: "lock-not-held" });
  guard[Symbol.dispose]();
  const writer = await lock.write();
  assert.equal(lock.tryRead(), null);
  writer.release();
  lock.tryRead()?.release();
});
