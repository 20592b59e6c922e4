import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { noDeadline } from "../runtime.js";
import { type Controlled, interleave, interleavings } from "./controlled.test.fixture.js";
import { Timer } from "./timer.js";

test("a timer expires once per start, at the time last set", async () => {
  const at: number[] = [];
  await interleave([0], ({ runtime }) => {
    const timer = new Timer(runtime, "t", () => void at.push(runtime.clock.now()));
    timer.start(5);
    timer.start(20);
    assert.equal(timer.pending, true);
  });
  assert.deepEqual(at, [20]);
});

test("a cancelled timer does not expire", async () => {
  await interleave([0], ({ runtime }) => {
    const timer = new Timer(runtime, "t", () => assert.fail("expired"));
    timer.start(5);
    assert.equal(timer.cancel(), true);
    assert.equal(timer.cancel(), false);
  });
});

test("a callback that is running when the timer expires again runs once more afterwards, never beside itself", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, async (choices) => {
      let inside = 0;
      let runs = 0;
      const program = ({ runtime }: Controlled) => {
        const timer = new Timer(runtime, "t", async () => {
          inside += 1;
          assert.equal(inside, 1);
          runs += 1;
          if (runs === 1) timer.start(1);
          for (let i = 0; i < 3; i += 1) await runtime.scheduler.yield("in callback", timer);
          inside -= 1;
        });
        timer.start(1);
      };
      await interleave(choices, program, "any time");
      assert.equal(runs, 2);
    }),
    { numRuns: 60 },
  );
});

test("after cancelSync the callback is not running and never runs again, even if it starts itself", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, fc.nat(3), async (choices, cancelAt) => {
      let freed = false;
      let runs = 0;
      const program = ({ runtime, task }: Controlled) => {
        const timer = new Timer(runtime, "t", async () => {
          assert.equal(freed, false);
          await runtime.scheduler.yield("in callback", timer);
          assert.equal(freed, false);
          if (++runs < 20) timer.start(1);
        });
        timer.start(1);
        task("owner", async () => {
          await runtime.scheduler.block("sleep", timer, cancelAt).wakeup;
          await timer.cancelSync({ deadline: noDeadline });
          freed = true;
          assert.equal(timer.pending, false);
        });
      };
      await interleave(choices, program, "any time");
      assert.equal(freed, true);
    }),
    { numRuns: 60 },
  );
});
