import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BugError, isKernelError } from "../error.js";
import { createRuntime } from "../runtime.js";
import { interleave, interleavings } from "./controlled.test.fixture.js";
import { SpinLock } from "./spinlock.js";

test("one holder at a time under every interleaving, and all get their turn", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, async (choices) => {
      let inside = 0;
      let done = 0;
      await interleave(choices, ({ runtime, task }) => {
        const lock = new SpinLock(runtime, "lock");
        for (const name of ["a", "b", "c"]) {
          task(name, () =>
            lock.withLock(async () => {
              inside += 1;
              assert.equal(inside, 1);
              await runtime.scheduler.yield("inside", lock);
              inside -= 1;
              done += 1;
            }),
          );
        }
      });
      assert.equal(done, 3);
    }),
  );
});

test("a lock that is not given back is missed at the deadline, and a second release is a bug", async () => {
  const lock = new SpinLock(createRuntime(), "lock");
  const guard = await lock.lock();
  assert.equal(lock.tryLock(), null);
  await assert.rejects(lock.lock({ deadline: 0 }), (error) => isKernelError(error, "ETIMEDOUT"));
  guard.release();
  assert.throws(() => guard.release(), BugError);
  guard[Symbol.dispose]();
  assert.equal(lock.locked, false);
});

test("who holds it is in an atomic section from taking to giving back", async () => {
  const notes: string[] = [];
  await interleave([0], ({ runtime, scheduler, task }) => {
    Object.assign(scheduler, { note: (note: string) => notes.push(note) });
    const lock = new SpinLock(runtime, "lock");
    task("a", () => lock.withLock(() => {}));
  });
  assert.deepEqual(notes, ["lock", "atomic", "sleepable", "unlock"]);
});
