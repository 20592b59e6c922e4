/** What SET_IRQS takes, and what becomes of an interrupt. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { EventCounter } from "./eventfd.js";
import { type IrqSet, IrqSetFlag } from "./irq.js";
import { IrqTable } from "./irq-table.js";

const { DATA_NONE, DATA_BOOL, DATA_EVENTFD, ACTION_MASK, ACTION_UNMASK, ACTION_TRIGGER } = IrqSetFlag;

function table() {
  const runtime = createRuntime();
  const irqs = new IrqTable(runtime, "irqs", () => [
    { count: 1, automasked: true },
    { count: 4, noresize: true },
    { count: 2, eventfd: false },
    { count: 0 },
  ]);
  const set = (more: Partial<IrqSet>): void => {
    const all: IrqSet = {
      argsz: 64,
      flags: DATA_NONE | ACTION_TRIGGER,
      index: 1,
      start: 0,
      count: 1,
      ...more,
    };
    irqs.apply(irqs.check(all));
  };
  const event = (name = "event") => new EventCounter(runtime, name);
  const listen = (index: number, event: EventCounter | null, start = 0) =>
    set({ index, start, flags: DATA_EVENTFD | ACTION_TRIGGER, data: [event] });
  return { runtime, irqs, set, event, listen };
}

test("an interrupt says what it is", () => {
  const { irqs } = table();
  assert.deepEqual(irqs.info(16, 0), { argsz: 16, flags: 7, index: 0, count: 1 });
  assert.deepEqual(irqs.info(16, 1), { argsz: 16, flags: 9, index: 1, count: 4 });
  assert.deepEqual(irqs.info(16, 2), { argsz: 16, flags: 0, index: 2, count: 2 });
  assert.throws(() => irqs.info(15, 0), { code: "EINVAL" });
  assert.throws(() => irqs.info(16, 4), { code: "EINVAL" });
});

test("what makes no sense is refused, and changes nothing", () => {
  const { irqs, set, event, listen } = table();
  const mine = event();
  listen(1, mine);
  const refused = (more: Partial<IrqSet>, code = "EINVAL") => assert.throws(() => set(more), { code });
  refused({ argsz: 19 });
  refused({ index: 4 });
  refused({ index: 3 });
  refused({ flags: DATA_NONE });
  refused({ flags: ACTION_TRIGGER });
  refused({ flags: DATA_NONE | DATA_BOOL | ACTION_TRIGGER });
  refused({ flags: DATA_NONE | ACTION_MASK | ACTION_TRIGGER });
  refused({ flags: DATA_NONE | ACTION_TRIGGER | 0x40 });
  refused({ start: 4 });
  refused({ start: 3, count: 2 });
  refused({ start: 0, count: 0xffff_ffff });
  refused({ count: 0, flags: DATA_BOOL | ACTION_TRIGGER });
  refused({ index: 0, count: 0, flags: DATA_NONE | ACTION_MASK });
  refused({ count: 0, start: 1 });
  refused({ flags: DATA_NONE | ACTION_MASK });
  refused({ flags: DATA_BOOL | ACTION_TRIGGER, argsz: 20, data: Uint8Array.of(1) });
  refused({ flags: DATA_BOOL | ACTION_TRIGGER });
  refused({ flags: DATA_BOOL | ACTION_TRIGGER, count: 2, data: Uint8Array.of(1) });
  refused({ flags: DATA_EVENTFD | ACTION_TRIGGER, argsz: 23, data: [mine] });
  refused({ flags: DATA_EVENTFD | ACTION_TRIGGER, data: [] });
  refused({ flags: DATA_EVENTFD | ACTION_TRIGGER, data: Uint8Array.of(1) });
  refused({ flags: DATA_EVENTFD | ACTION_TRIGGER, index: 2, data: [mine] });
  refused({ flags: DATA_EVENTFD | ACTION_MASK, index: 1, data: [mine] });
  refused({ flags: DATA_EVENTFD | ACTION_UNMASK, index: 0, data: [] });
  refused({ flags: DATA_EVENTFD | ACTION_UNMASK, index: 0, data: [{ signal: () => undefined }] });
  assert.equal(irqs.trigger(1), true);
  assert.deepEqual([mine.take(), mine.state], [1, "held"]);
});

test("a trigger is told, replaced and taken back, and released once each time", () => {
  const { irqs, set, event, listen } = table();
  const [one, two] = [event("one"), event("two")];
  assert.equal(irqs.trigger(1), false);
  listen(1, one);
  assert.equal(irqs.assigned(1), true);
  irqs.trigger(1, 0, 3);
  assert.equal(one.take(), 3);
  listen(1, one);
  assert.equal(one.state, "held", "it is the same");
  listen(1, two);
  assert.deepEqual([one.state, two.state], ["released", "held"]);
  set({ flags: DATA_NONE | ACTION_TRIGGER });
  set({ flags: DATA_BOOL | ACTION_TRIGGER, data: Uint8Array.of(1) });
  set({ flags: DATA_BOOL | ACTION_TRIGGER, data: Uint8Array.of(0) });
  assert.equal(two.take(), 2, "fired by hand");
  listen(1, null);
  assert.deepEqual([two.state, irqs.trigger(1)], ["released", false]);
  const three = event("three");
  listen(1, three);
  set({ count: 0 });
  assert.deepEqual([three.state, irqs.assigned(1)], ["released", false]);
  assert.throws(() => three.take(), { code: "EAGAIN" });
});

test("how many vectors are in use does not grow without a teardown, where it can't", () => {
  const { set, event, irqs } = table();
  const enable = (start: number, events: readonly EventCounter[]) =>
    set({ flags: DATA_EVENTFD | ACTION_TRIGGER, start, count: events.length, data: events });
  enable(0, [event(), event()]);
  assert.throws(() => enable(2, [event()]), { code: "EINVAL" });
  enable(1, [event()]);
  set({ count: 0 });
  enable(0, [event(), event(), event(), event()]);
  assert.equal(irqs.assigned(1, 3), true);
});

test("one that masks itself is told once, and again when it is unmasked if it came meanwhile", () => {
  const { irqs, set, event, listen } = table();
  const line = event();
  listen(0, line);
  irqs.trigger(0);
  assert.equal(irqs.masked(0), true);
  irqs.trigger(0);
  assert.deepEqual([line.count, irqs.pending(0)], [1, true]);
  set({ index: 0, flags: DATA_NONE | ACTION_UNMASK });
  assert.deepEqual([line.count, irqs.pending(0), irqs.masked(0)], [2, false, true]);
  set({ index: 0, flags: DATA_BOOL | ACTION_UNMASK, data: Uint8Array.of(1) });
  assert.deepEqual([line.count, irqs.masked(0)], [2, false]);
  set({ index: 0, flags: DATA_NONE | ACTION_MASK });
  irqs.trigger(0);
  assert.equal(line.take(), 2);
  irqs.clear();
  assert.equal(line.state, "released");
});

test("a line that is high is told when somebody listens, when it rises, and as often as it is unmasked", () => {
  const { irqs, set, event, listen } = table();
  const line = event();
  irqs.drive(0, "high");
  listen(0, line);
  assert.equal(line.take(), 1);
  irqs.drive(0, "high");
  assert.equal(line.count, 0);
  set({ index: 0, flags: DATA_NONE | ACTION_UNMASK });
  assert.equal(line.take(), 1);
  irqs.drive(0, "low");
  set({ index: 0, flags: DATA_NONE | ACTION_UNMASK });
  assert.equal(line.count, 0);
  irqs.drive(0, "high");
  assert.equal(line.take(), 1);
  irqs.drive(0, "low");
  irqs.drive(0, "high");
  assert.equal(irqs.pending(0), true);
  irqs.drive(0, "low");
  assert.equal(irqs.pending(0), false, "nobody was told");
});

test("an eventfd unmasks and another one masks, as often as they are signalled, until they are taken back", async () => {
  const { irqs, set, event, listen } = table();
  const [line, unmask, mask] = [event("line"), event("unmask"), event("mask")];
  const by = (action: number, eventfd: EventCounter | null) =>
    set({ index: 0, flags: DATA_EVENTFD | action, data: [eventfd] });
  listen(0, line);
  irqs.drive(0, "high");
  assert.equal(line.take(), 1);
  by(ACTION_UNMASK, unmask);
  unmask.signal(3);
  await turns();
  assert.deepEqual([line.take(), unmask.count, irqs.masked(0)], [1, 0, true], "it is high still");
  irqs.drive(0, "low");
  unmask.signal(1);
  await turns();
  assert.equal(irqs.masked(0), false);
  by(ACTION_MASK, mask);
  mask.signal(1);
  await turns();
  irqs.drive(0, "high");
  assert.deepEqual([irqs.masked(0), line.count], [true, 0]);
  assert.throws(() => by(ACTION_UNMASK, event("another")), { code: "EBUSY" });
  by(ACTION_UNMASK, null);
  by(ACTION_UNMASK, null);
  assert.equal(unmask.state, "released");
  unmask.signal(1);
  await turns();
  assert.deepEqual([irqs.masked(0), unmask.count], [true, 1], "nobody listens");
  by(ACTION_UNMASK, unmask);
  await turns();
  assert.deepEqual([line.take(), unmask.count], [1, 0], "what was signalled before counts");
  set({ index: 0, count: 0 });
  assert.deepEqual([line.state, mask.state], ["released", "released"]);
  by(ACTION_UNMASK, unmask);
  irqs.clear();
  assert.equal(unmask.state, "released");
});

test("who waits for an event gets all that was signalled", async () => {
  const { event, runtime } = table();
  const counter = event();
  const waiting = counter.wait();
  counter.signal(2);
  counter.signal(1);
  assert.equal(await waiting, 3);
  await assert.rejects(counter.wait({ deadline: runtime.clock.now() }), { code: "ETIMEDOUT" });
});

/** Lets everything happen that waits for nothing. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await null;
}
