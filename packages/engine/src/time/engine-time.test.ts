import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandDeferred } from "parhelion-protocol";
import { timeRig } from "./gpu.test.support.js";

const others = { ms: 10, lingerMs: 0, pausedMs: 0 };
const alone = { ms: null, lingerMs: 2, pausedMs: 0 };
const want = { op: "wantTime" } as const;

test("an engine that has work asks for a lease once, goes on with it, and gives it back when it is idle", async () => {
  const { said, time, open } = timeRig();
  const { queue, turns } = open();
  assert.equal(turns.admits(), false);
  assert.equal(turns.admits(), false);
  assert.deepEqual(said, [want]);
  time.grant({ lease: 7, ...others });
  assert.deepEqual(queue.told, ["resume"]);
  assert.equal(turns.admits(), true);
  queue.submit(turns);
  turns.rested("idle");
  assert.deepEqual(said, [want]);
  await queue.finish();
  assert.deepEqual(said.at(-1), { op: "yieldTime", lease: 7, next: "idle" });
});

test("one that is alone keeps its lease, says nothing and asks Dawn for few of many short submissions", async () => {
  const { said, time, open, clock } = timeRig();
  const { queue, turns } = open();
  turns.admits();
  time.grant({ lease: 7, ...alone });
  for (let round = 0; round < 100; round++) {
    queue.submit(turns, 10);
    turns.rested("idle");
    await queue.finish();
    await clock.pass(0.1);
  }
  assert.deepEqual(
    said.filter(({ op }) => op !== "timeUsed"),
    [want],
  );
  assert.ok(queue.questions < 400, `${queue.questions} questions for ${queue.submitted} submissions`);
});

test("what is asked for is asked for again, in case the lease was lost", async () => {
  const { said, open, clock } = timeRig();
  open().turns.admits();
  await clock.pass(1500);
  assert.deepEqual(said, [want, want]);
});

test("a recalled engine submits nothing more, and gives its lease back when the GPU is done", async () => {
  const { said, time, open } = timeRig();
  const { queue, turns } = open();
  turns.admits();
  time.grant({ lease: 3, ...alone });
  queue.submit(turns);
  time.recall(2);
  queue.submit(turns);
  time.recall(3);
  assert.throws(() => queue.submit(turns), CommandDeferred);
  assert.equal(said.length, 1);
  await queue.finish();
  assert.deepEqual(said.at(-1), { op: "yieldTime", lease: 3, next: "waiting" });
});

test("a lease that was given back is not taken again from a message that was under way", () => {
  const { said, time, open } = timeRig();
  const { turns } = open();
  turns.admits();
  time.grant({ lease: 3, ...others });
  turns.rested("idle");
  assert.deepEqual(said.at(-1), { op: "yieldTime", lease: 3, next: "idle" });
  time.grant({ lease: 3, ...alone });
  assert.equal(turns.admits(), false);
  time.grant({ lease: 4, ...others });
  assert.equal(turns.admits(), true);
});

test("while others wait no more is handed to the GPU than the quantum, as measured", async () => {
  const { time, open, clock } = timeRig();
  const { queue, turns } = open();
  turns.admits();
  time.grant({ lease: 1, ...others });
  queue.submit(turns);
  // Nothing is known about it yet.
  assert.throws(() => queue.submit(turns), CommandDeferred);
  turns.rested("idle");
  await clock.pass(2);
  await queue.finish();
  queue.submit(turns, 5);
  assert.throws(() => queue.submit(turns), CommandDeferred);
});

test("an engine lingers for an application that comes back at once, and not for one that takes long", async () => {
  const { said, time, open, clock } = timeRig();
  const { queue, turns } = open();
  const round = async (lease: number, thinkMs: number): Promise<number> => {
    if (!turns.admits()) time.grant({ lease, ...others, lingerMs: 2 });
    queue.submit(turns);
    turns.rested("idle");
    await queue.finish();
    await clock.pass(thinkMs);
    return said.filter(({ op }) => op === "yieldTime").length;
  };
  assert.equal(await round(1, 1), 0);
  assert.equal(await round(1, 1), 0);
  assert.equal(await round(1, 30), 1);
  await round(2, 30);
  const before = said.length;
  await round(3, 0);
  assert.deepEqual(said.slice(before).filter(({ op }) => op === "yieldTime").length, 1);
});

test("where there is a GPU only submissions need a lease", () => {
  const { said, open } = timeRig({ leased: "submissions" });
  const { queue, turns } = open();
  assert.equal(turns.admits(), true);
  assert.deepEqual(said, []);
  assert.throws(() => queue.submit(turns), CommandDeferred);
  assert.deepEqual(said, [want]);
});

test("a submission over its budget loses its device alone; the engine ends when the GPU does not come back", async () => {
  const { said, open, clock } = timeRig({ sharing: "free" });
  const { queue, turns } = open(1);
  const other = open(2);
  queue.submit(turns);
  await clock.pass(900);
  assert.deepEqual(queue.told, []);
  await clock.pass(400);
  assert.match(queue.told[0] ?? "", /^limit-reached: slice a slice: a submission kept the GPU for 1\d50 ms/);
  other.queue.submit(other.turns);
  await clock.pass(5000);
  assert.deepEqual(other.queue.told, []);
  const overrun = said.find(({ op }) => op === "overrun");
  assert.deepEqual(overrun, { op: "overrun", device: 1, message: queue.told[0] });
});

test("a GPU that comes back from a condemned device is used on, and the device can be destroyed", async () => {
  const { said, open, clock } = timeRig({ sharing: "free" });
  const { queue, turns } = open();
  queue.submit(turns);
  await clock.pass(1500);
  turns.end();
  await queue.finish();
  assert.equal(queue.told.at(-1), "idle");
  await clock.pass(5000);
  assert.deepEqual(
    said.filter(({ op }) => op === "overrun"),
    [],
  );
});

test("time during which the engine was paused is not charged to a submission", async () => {
  const { time, open, clock } = timeRig();
  const { queue, turns } = open();
  turns.admits();
  time.grant({ lease: 1, ...others });
  queue.submit(turns);
  for (let pausedMs = 0; pausedMs <= 4000; pausedMs += 90) {
    await clock.pass(100);
    time.grant({ lease: 1, ...others, pausedMs });
  }
  assert.deepEqual(queue.told, ["resume"]);
  await clock.pass(1500);
  assert.equal(queue.told.length, 2);
});

test("submissions of which each keeps to its budget are let be, however many are ahead", async () => {
  const { open, clock } = timeRig({ sharing: "free" });
  const { queue, turns } = open();
  queue.submit(turns, 20);
  for (let i = 0; i < 20; i++) {
    await clock.pass(800);
    queue.finished += 1;
    turns.done(queue.finished);
  }
  assert.deepEqual(
    queue.told.filter((each) => each !== "idle"),
    [],
  );
});

test("where the processor computes, a submission gets no older than it was worked on", async () => {
  let processorMs = 0;
  const { open, clock } = timeRig({ sharing: "free", processorMs: () => processorMs });
  const { queue, turns } = open();
  queue.submit(turns);
  for (let i = 0; i < 100; i++) {
    await clock.pass(50);
    processorMs += 5;
  }
  assert.deepEqual(queue.told, []);
  for (let i = 0; i < 40; i++) {
    await clock.pass(50);
    processorMs += 100;
  }
  assert.match(queue.told[0] ?? "", /^limit-reached/);
});

test("an endless submission behind quick ones that nobody asked for is found within four budgets", async () => {
  const { open, clock } = timeRig({ sharing: "free" });
  const { queue, turns } = open();
  for (let round = 0; round < 20; round++) {
    queue.submit(turns, 10);
    turns.rested("idle");
    await queue.finish();
    await clock.pass(0.1);
  }
  queue.told.length = 0;
  queue.submit(turns, 20);
  turns.done(queue.submitted - 1);
  await clock.pass(4400);
  assert.match(
    queue.told[0] ?? "",
    /^limit-reached: slice a slice: [2-4] submissions in a row kept the GPU for [2-4]\d\d\d ms/,
  );
});
