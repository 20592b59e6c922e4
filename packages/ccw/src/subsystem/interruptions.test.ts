import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime, isKernelError } from "parhelion-core";
import { Interruptions } from "./interruptions.js";

const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function source(schno: number, isc: number) {
  return { interruption: { id: { cssid: 0, ssid: 0, schno }, intparm: 0, isc } };
}

test("interruptions come lowest subclass first, in order within it, and only of those that are enabled", async () => {
  const interruptions = new Interruptions(createRuntime());
  const taken: number[] = [];
  const add = (schno: number, isc: number) => interruptions.add(source(schno, isc), isc);
  add(1, 3);
  add(2, 5);
  add(3, 3);
  add(4, 0);
  interruptions.onInterruption(({ id }) => void taken.push(id.schno));
  await round();
  assert.deepEqual(taken, []);
  interruptions.enable(0x10);
  await round();
  assert.deepEqual(taken, [1, 3]);
  interruptions.enable(0xff);
  await round();
  assert.deepEqual(taken, [1, 3, 4, 2]);
});

test("an interruption that is taken back, or pending already, comes once at most", async () => {
  const interruptions = new Interruptions(createRuntime());
  const taken: number[] = [];
  const one = source(1, 1);
  const two = source(2, 1);
  interruptions.add(one, 1);
  interruptions.add(one, 1);
  interruptions.add(two, 1);
  interruptions.remove(two);
  interruptions.onInterruption(({ id }) => void taken.push(id.schno));
  interruptions.enable(0xff);
  await round();
  assert.deepEqual(taken, [1]);
});

test("the next one waits for the handler, and comes though it failed", async () => {
  const logged: unknown[] = [];
  const runtime = createRuntime({
    log: ({ event, fields }) => logged.push([event, isKernelError(fields["error"])]),
  });
  const interruptions = new Interruptions(runtime);
  const events: string[] = [];
  interruptions.onInterruption(async ({ id }) => {
    events.push(`in ${id.schno}`);
    await round();
    events.push(`out ${id.schno}`);
    if (id.schno === 1) throw new Error("a driver's bug");
  });
  interruptions.enable(0xff);
  interruptions.add(source(1, 1), 1);
  interruptions.add(source(2, 1), 1);
  for (let turn = 0; turn < 4; turn += 1) await round();
  assert.deepEqual(events, ["in 1", "out 1", "in 2", "out 2"]);
  assert.deepEqual(logged, [["css.interruption-failed", false]]);
});
