import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Devres } from "./devres.js";
import type { LogRecord } from "./log.js";
import { traced } from "./model.test.fixture.js";
import { createRuntime } from "./runtime.js";

function fresh(): { devres: Devres; done: string[]; log: LogRecord[]; add(name: string): void } {
  const log: LogRecord[] = [];
  const done: string[] = [];
  const devres = new Devres(createRuntime({ log: (record) => log.push(record) }), "devres");
  return { devres, done, log, add: (name) => void devres.addAction(() => void done.push(name), name) };
}

test("everything is released once, in reverse, each before the next begins", async () => {
  const { devres, done } = fresh();
  for (const name of ["a", "b", "c"]) {
    devres.addAction(async () => {
      done.push(`${name} begins`);
      await null;
      done.push(`${name} ends`);
    });
  }
  await Promise.all([devres.releaseAll(), devres.releaseAll()]);
  assert.deepEqual(done, ["c begins", "c ends", "b begins", "b ends", "a begins", "a ends"]);
});

test("what is registered after the release began is released at once and refused", async () => {
  const { devres, done, log, add } = fresh();
  devres.addAction(() => {
    assert.throws(() => add("during"), { code: "ENODEV" });
    done.push("a");
  });
  await devres.releaseAll();
  assert.throws(() => add("after"), { code: "ENODEV" });
  assert.throws(() => devres.openGroup(), { code: "ENODEV" });
  assert.deepEqual(done, ["during", "a", "after"]);
  assert.deepEqual(
    log.map(({ event }) => event),
    ["devres.late", "devres.late"],
  );
});

test("a driver that registers late does not reach into the next binding", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("d");
  const d = driver("d");
  await system.registerDriver(d);
  await system.addDevice(dev);
  const { devres } = dev;
  await system.detach(dev);
  await system.attach(dev, d);
  trace.length = 0;
  assert.throws(() => devres.addAction(() => void trace.push("late")), { code: "ENODEV" });
  assert.deepEqual(trace, ["late"]);
  assert.equal(dev.devres.size, 0);
});

test("a release that fails is logged and the others go on", async () => {
  const { devres, done, log, add } = fresh();
  add("a");
  devres.addAction(() => Promise.reject(new Error("no")), "bad");
  add("c");
  await devres.releaseAll();
  assert.deepEqual(done, ["c", "a"]);
  assert.equal(log[0]?.fields["action"], "bad");
});

test("an action can be forgotten or released early, once", async () => {
  const { devres, done, add } = fresh();
  const forgotten = devres.addAction(() => void done.push("forgotten"));
  const early = devres.addAction(() => void done.push("early"));
  add("rest");
  devres.removeAction(forgotten);
  await devres.releaseAction(early);
  assert.throws(() => devres.removeAction(early), { code: "devres-unknown" });
  await devres.releaseAll();
  assert.deepEqual(done, ["early", "rest"]);
});

test("a group is released to its end, with the groups inside it; overlapping ones keep their boundaries", async () => {
  const { devres, done, add } = fresh();
  add("before");
  const outer = devres.openGroup("outer");
  add("1");
  const inner = devres.openGroup("inner");
  add("2");
  devres.closeGroup(inner);
  const overlapping = devres.openGroup("overlapping");
  add("3");
  devres.closeGroup(outer);
  add("4");
  devres.closeGroup(overlapping);
  add("after");
  await devres.releaseGroup(outer);
  assert.deepEqual(done, ["3", "2", "1"]);
  await assert.rejects(devres.releaseGroup(inner), { code: "devres-unknown" });
  await devres.releaseGroup(overlapping);
  assert.deepEqual(done, ["3", "2", "1", "4"]);
  await devres.releaseAll();
  assert.deepEqual(done, ["3", "2", "1", "4", "after", "before"]);
});

test("a group that is not closed reaches to the end; a removed group's resources stay", async () => {
  const { devres, done, add } = fresh();
  const removed = devres.openGroup();
  add("a");
  devres.removeGroup(removed);
  const open = devres.openGroup();
  add("b");
  devres.openGroup();
  add("c");
  await devres.releaseGroup(open);
  assert.deepEqual(done, ["c", "b"]);
  assert.equal(devres.size, 1);
});

test("whatever is added, forgotten and released, each action runs at most once and the rest in reverse", async () => {
  const op = fc.record({ op: fc.constantFrom("add", "add", "remove", "release"), at: fc.nat(9) });
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 25 }), async (ops) => {
      const { devres, done } = fresh();
      const model: { id: string; token: ReturnType<Devres["addAction"]> }[] = [];
      const expected: string[] = [];
      for (const [index, { op, at }] of ops.entries()) {
        if (op === "add") {
          const id = `r${index}`;
          model.push({ id, token: devres.addAction(() => void done.push(id)) });
        } else if (model.length > 0) {
          const [each] = model.splice(at % model.length, 1);
          if (each === undefined) continue;
          if (op === "remove") devres.removeAction(each.token);
          else {
            await devres.releaseAction(each.token);
            expected.push(each.id);
          }
        }
        assert.equal(devres.size, model.length);
      }
      await devres.releaseAll();
      assert.deepEqual(done, [...expected, ...model.map(({ id }) => id).reverse()]);
    }),
  );
});
