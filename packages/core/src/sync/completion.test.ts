import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createRuntime } from "../runtime.js";
import { Completion } from "./completion.js";
import { type Controlled, interleave, interleavings, times } from "./controlled.test.fixture.js";

test("each complete lets exactly one waiter through, with its value, whoever comes first", async () => {
  await fc.assert(
    fc.asyncProperty(
      interleavings,
      times,
      fc.nat(5),
      fc.nat(5),
      async (choices, time, waiters, completes) => {
        const got: number[] = [];
        let timedOut = 0;
        const program = ({ runtime, task }: Controlled) => {
          const completion = new Completion<number>(runtime, "c");
          for (let i = 0; i < waiters; i += 1) {
            task(`waiter${i}`, async () => {
              try {
                got.push(await completion.wait({ deadline: 100 }));
              } catch (error) {
                assert.equal((error as { code?: string }).code, "ETIMEDOUT");
                timedOut += 1;
              }
            });
          }
          for (let i = 0; i < completes; i += 1) task(`completer${i}`, async () => completion.complete(i));
        };
        await interleave(choices, program, time);
        if (time === "when idle") assert.equal(got.length, Math.min(waiters, completes));
        assert.equal(timedOut, waiters - got.length);
        assert.equal(new Set(got).size, got.length);
      },
    ),
    { numRuns: 80 },
  );
});

test("completeAll lets through who waits and who comes later", async () => {
  const completion = new Completion<string>(createRuntime(), "c");
  const waiting = [completion.wait(), completion.wait()];
  completion.completeAll("go");
  completion.fail(new Error("too late"));
  completion.complete("too late");
  assert.deepEqual(await Promise.all([...waiting, completion.wait()]), ["go", "go", "go"]);
});

test("fail reaches who waits and who comes later, and the first end counts", async () => {
  const completion = new Completion(createRuntime(), "c");
  const waiting = completion.wait();
  completion.fail(new Error("gone"));
  completion.completeAll();
  await assert.rejects(waiting, /gone/);
  await assert.rejects(completion.wait(), /gone/);
  assert.equal(completion.done, true);
});
