import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { interleave, interleavings } from "./controlled.test.fixture.js";
import { type Work, WorkQueue } from "./work-queue.js";

type Op = { readonly op: "queue" | "cancel" | "flush"; readonly work: number };

const ops: fc.Arbitrary<readonly Op[]> = fc.array(
  fc.record({
    op: fc.constantFrom("queue" as const, "queue" as const, "cancel" as const, "flush" as const),
    work: fc.nat(2),
  }),
  { maxLength: 12 },
);

test("accepted work runs once unless it is cancelled, one at a time, in order; flush and cancel keep their word", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, fc.tuple(ops, ops), async (choices, programs) => {
      // The model: what was accepted and neither started nor was cancelled, in order.
      const waiting: { readonly work: number; readonly sequence: number }[] = [];
      let running: { readonly work: number; readonly sequence: number } | null = null;
      let sequence = 0;
      await interleave(choices, ({ runtime, task }) => {
        const queue = new WorkQueue(runtime, "wq");
        const works = [0, 1, 2].map(
          (id): Work => ({
            name: `w${id}`,
            async run() {
              assert.equal(running, null, "two at a time");
              const next = waiting.shift();
              assert.equal(next?.work, id, "out of order");
              running = next;
              await runtime.scheduler.yield("working", this);
              running = null;
            },
          }),
        );
        for (const [index, program] of programs.entries()) {
          task(`t${index}`, async () => {
            for (const { op, work } of program) {
              const item = works[work] as Work;
              if (op === "queue") {
                if (queue.queue(item)) waiting.push({ work, sequence: ++sequence });
                else if (programs.every((other) => other.every((each) => each.op !== "cancel"))) {
                  assert.ok(
                    waiting.some((each) => each.work === work),
                    "refused though it was not queued",
                  );
                }
              } else if (op === "cancel") {
                const at = waiting.findIndex((each) => each.work === work);
                const cancelled = queue.cancelSync(item);
                if (at !== -1) waiting.splice(at, 1);
                const last = sequence;
                assert.equal(await cancelled, at !== -1);
                assert.ok(running?.work !== work || running.sequence > last, "cancelled though it runs");
              } else {
                const last = sequence;
                await queue.flush();
                assert.ok(
                  [...waiting, ...(running === null ? [] : [running])].every((each) => each.sequence > last),
                  "flush returned before earlier work was done",
                );
              }
              await runtime.scheduler.yield("between", queue);
            }
          });
        }
      });
      assert.deepEqual(waiting, []);
      assert.equal(running, null);
    }),
    { numRuns: 100 },
  );
});

test("flush waits for what was queued before it, though later work is cancelled meanwhile", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, async (choices) => {
      await interleave(choices, ({ runtime, task }) => {
        const queue = new WorkQueue(runtime, "wq");
        const done: string[] = [];
        const work = (name: string): Work => ({
          name,
          run: async () => {
            await runtime.scheduler.yield("working", queue);
            done.push(name);
          },
        });
        const [a, b, c] = [work("a"), work("b"), work("c")] as const;
        queue.queue(a);
        queue.queue(b);
        task("flush", async () => {
          await queue.flush();
          assert.deepEqual(done.slice(0, 2), ["a", "b"]);
        });
        task("later", async () => {
          queue.queue(c);
          await queue.cancelSync(c);
        });
      });
    }),
    { numRuns: 30 },
  );
});

test("a flush ends when what it waits for is cancelled before it starts", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, async (choices) => {
      await interleave(choices, ({ runtime, task }) => {
        const queue = new WorkQueue(runtime, "wq");
        const work: Work = { name: "w", run() {} };
        task("flush", async () => {
          queue.queue(work);
          await queue.flush();
        });
        task("cancel", async () => void (await queue.cancelSync(work)));
      });
    }),
    { numRuns: 50 },
  );
});

test("running work can be queued again, but not while it is being cancelled", async () => {
  let runs = 0;
  await interleave([0], ({ runtime, task }) => {
    const queue = new WorkQueue(runtime, "wq");
    const work: Work = {
      name: "self",
      async run() {
        runs += 1;
        await runtime.scheduler.yield("working", queue);
        queue.queue(work);
      },
    };
    task("main", async () => {
      queue.queue(work);
      while (runs < 3) await runtime.scheduler.yield("watch", queue);
      await queue.cancelSync(work);
      const after = runs;
      await queue.flush();
      assert.equal(runs, after, "it queued itself through its own cancellation");
    });
  });
  assert.ok(runs >= 3);
});

test("work that fails is logged and does not stop the queue; a destroyed queue takes nothing", async () => {
  const done: string[] = [];
  const { log } = await interleave([0], ({ runtime, task }) => {
    const queue = new WorkQueue(runtime, "wq");
    task("main", async () => {
      queue.queue({ name: "bad", run: () => Promise.reject(new Error("no")) });
      queue.queue({ name: "good", run: () => void done.push("good") });
      await queue.flush();
      await queue.destroy();
      assert.equal(queue.queue({ name: "late", run: () => void done.push("late") }), false);
    });
  });
  assert.deepEqual(done, ["good"]);
  assert.deepEqual(
    log.map(({ event }) => event),
    ["work.failed"],
  );
});
