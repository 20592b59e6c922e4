import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { interleave, interleavings } from "./controlled.test.fixture.js";
import { WaitQueue } from "./wait-queue.js";

test("nobody sleeps through the change it waits for", async () => {
  await fc.assert(
    fc.asyncProperty(
      interleavings,
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
      fc.nat(4),
      async (choices, levels, steps) => {
        const reached: number[] = [];
        await interleave(choices, ({ runtime, task }) => {
          const queue = new WaitQueue(runtime, "q");
          let level = 0;
          for (const want of levels) {
            task(`until ${want}`, async () => {
              try {
                await queue.wait(() => level >= want, { deadline: 100 });
                reached.push(want);
              } catch (error) {
                assert.equal((error as { code?: string }).code, "ETIMEDOUT");
                assert.ok(level < want, "it timed out though its condition held");
              }
            });
          }
          for (let i = 0; i < steps; i += 1) {
            task(`raise${i}`, async () => {
              level += 1;
              queue.wake();
            });
          }
        });
        assert.deepEqual(reached.sort(), levels.filter((want) => want <= steps).sort());
      },
    ),
    { numRuns: 80 },
  );
});

test("a condition that holds when the deadline passes counts, even if nobody woke the queue", async () => {
  let held = false;
  await interleave([0], ({ runtime, task }) => {
    const queue = new WaitQueue(runtime, "q");
    task("setter", async () => {
      await runtime.scheduler.block("sleep", queue, 5).wakeup;
      held = true;
    });
    task("waiter", () => queue.wait(() => held, { deadline: 10 }));
  });
  assert.equal(held, true);
});

test("an error of the condition reaches the waiter", async () => {
  await interleave([0], ({ runtime, task }) => {
    const queue = new WaitQueue(runtime, "q");
    const condition = () => {
      throw new Error("cannot tell");
    };
    task("waiter", () => assert.rejects(queue.wait(condition), /cannot tell/));
  });
});
