import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { atOnce, runForJson, withHost } from "./processes.mjs";

const never = new AbortController().signal;
const script = (source) => ["--input-type=module", "--eval", source];
const FOR_EVER = script("setInterval(() => {}, 1000)");

test("a program's last line is its document, and what it said on stderr is kept", async () => {
  const source = 'console.log("hello"); console.log("{\\"a\\":1}"); console.error("careful")';
  const { document, said } = await runForJson("it", script(source), never);
  assert.deepEqual(document, { a: 1 });
  assert.equal(said, "careful\n");
});

test("a program that fails is named with its status and what it said", async () => {
  const source = 'console.error("no GPU"); process.exit(3)';
  await assert.rejects(runForJson("guest 1", script(source), never), /guest 1 ended with status 3.*no GPU/s);
  await assert.rejects(runForJson("guest 1", script("console.log('hm')"), never), /printed no JSON.*hm/s);
});

test("when a task fails, the others are ended and those that wait do not start", async () => {
  const ran = [];
  const tasks = {
    long: (signal) => runForJson("long", FOR_EVER, signal),
    failing: async () => {
      throw new Error("no face");
    },
    late: async () => ran.push("late"),
  };
  await assert.rejects(atOnce(2, tasks, never), /no face/);
  assert.deepEqual(ran, []);
});

test("tasks end when they are told to", async () => {
  const stop = new AbortController();
  const tasks = { long: (signal) => runForJson("long", FOR_EVER, signal) };
  const all = atOnce(2, tasks, stop.signal);
  setImmediate(() => stop.abort(new Error("Ctrl-C")));
  await assert.rejects(all, /Ctrl-C/);
});

test("a host that finds no such adapter says so", async () => {
  await assert.rejects(
    withHost("no-such-gpu", never, () => assert.fail("there is no host")),
    /the host did not start: no usable adapter for "no-such-gpu"/,
  );
});

test("a host and its directory are gone when the work is done, and when it fails", async () => {
  const seen = [];
  const look = async (state, { adapters, pid }) => {
    assert.equal(adapters[0].kind, "software");
    assert.ok(existsSync(state));
    seen.push({ state, pid });
    return "done";
  };
  assert.equal(await withHost("software", never, look), "done");
  const failing = async (...host) => {
    await look(...host);
    throw new Error("a guest failed");
  };
  await assert.rejects(withHost("software", never, failing), /a guest failed/);
  assert.equal(seen.length, 2);
  for (const { state, pid } of seen) {
    assert.ok(!existsSync(state));
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  }
});
