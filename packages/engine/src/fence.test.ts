import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProgressFence } from "./fence.js";

/** Answers in the test's own time, as a GPU does in its own. */
function questions() {
  const asked: { resolve: () => void; reject: (reason: Error) => void }[] = [];
  const done = () => new Promise<void>((resolve, reject) => asked.push({ resolve, reject }));
  return { asked, done };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("a progress fence", () => {
  it("asks nothing while nobody waits", () => {
    const { asked, done } = questions();
    const fence = new ProgressFence(done);
    for (let i = 0; i < 10; i++) fence.submit();
    assert.equal(asked.length, 0);
  });

  it("asks once for all who wait, and again for what was submitted since", async () => {
    const { asked, done } = questions();
    const fence = new ProgressFence(done);
    fence.submit();
    const values: number[] = [];
    const note = (value: number) => values.push(value);
    fence.reach(1).then(note);
    fence.reach(1).then(note);
    fence.submit();
    fence.reach(2).then(note);
    assert.equal(asked.length, 1);
    asked[0]!.resolve();
    await settle();
    assert.deepEqual(values, [1, 1]);
    assert.equal(asked.length, 2);
    asked[1]!.resolve();
    await settle();
    assert.deepEqual(values, [1, 1, 2]);
    assert.equal(await fence.reach(2), 2);
  });

  it("lets those wait who come before the submit", async () => {
    const { asked, done } = questions();
    const fence = new ProgressFence(done);
    const reached = fence.reach(1);
    assert.equal(asked.length, 0);
    fence.submit();
    asked[0]!.resolve();
    assert.equal(await reached, 1);
  });

  it("believes what is learnt by other means", async () => {
    const { asked, done } = questions();
    const fence = new ProgressFence(done);
    fence.submit();
    fence.submit();
    const reached = fence.reach(2);
    fence.note(2);
    assert.equal(await reached, 2);
    asked[0]!.resolve();
    await settle();
    assert.equal(fence.completed, 2, "an older answer does not turn it back");
  });

  it("settles everybody when the queue ends, or when Dawn refuses to answer", async () => {
    const { asked, done } = questions();
    const fence = new ProgressFence(done);
    fence.submit();
    const before = fence.reach(1);
    fence.end(new Error("gone"));
    await assert.rejects(before, /gone/);
    await assert.rejects(fence.reach(1), /gone/);
    asked[0]!.resolve();
    await settle();
    assert.equal(fence.completed, 0);

    const other = questions();
    const second = new ProgressFence(other.done);
    second.submit();
    const wait = second.reach(1);
    other.asked[0]!.reject(new Error("no answer"));
    await assert.rejects(wait, /no answer/);
  });
});
