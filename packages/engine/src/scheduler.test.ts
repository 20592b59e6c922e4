import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Scheduler, type Turns } from "./scheduler.js";

const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

function worker(name: string, amount: number, trace: string[]): Turns {
  let left = amount;
  return {
    turn() {
      trace.push(name);
      return --left > 0 ? "more" : "idle";
    },
  };
}

describe("the scheduler", () => {
  it("runs a lone queue at once, and gives the event loop a chance between its turns", async () => {
    const trace: string[] = [];
    const scheduler = new Scheduler();
    scheduler.ready(worker("a", 3, trace));
    assert.deepEqual(trace, ["a"]);
    setImmediate(() => trace.push("loop"));
    await settle();
    assert.deepEqual(trace, ["a", "a", "loop", "a"]);
  });

  it("lets a short queue finish while a long one goes on", async () => {
    const trace: string[] = [];
    const scheduler = new Scheduler();
    scheduler.ready(worker("long", 6, trace));
    scheduler.ready(worker("short", 2, trace));
    await settle();
    assert.deepEqual(trace, ["long", "long", "short", "long", "short", "long", "long", "long"]);
  });

  it("forgets who was removed", async () => {
    const trace: string[] = [];
    const scheduler = new Scheduler();
    const gone = worker("gone", 5, trace);
    scheduler.ready(gone);
    scheduler.remove(gone);
    await settle();
    assert.deepEqual(trace, ["gone"]);
  });
});
