import assert from "node:assert/strict";
import { test } from "node:test";
import { isProtocolError } from "parhelion-protocol";
import { RequestTable } from "./requests.js";

test("numbers are fresh, and the table says when it begins and ends to wait", () => {
  const changes: number[] = [];
  const table = new RequestTable((pending) => changes.push(pending));
  const first = table.add({ kind: "work-done", done: () => {} });
  const second = table.add({ kind: "work-done", done: () => {} });
  assert.notEqual(first, second);
  table.take("work-done", first);
  table.take("work-done", second);
  assert.deepEqual(changes, [1, 0]);
});

test("a reply of the wrong kind is the engine's mistake", () => {
  const table = new RequestTable(() => {});
  const number = table.add({ kind: "work-done", done: () => {} });
  assert.throws(
    () => table.take("map", number),
    (error) => isProtocolError(error, "wrong-reply"),
  );
});

test("a reply to what was given up is ignored", () => {
  const table = new RequestTable(() => {});
  const number = table.add({ kind: "work-done", done: () => assert.fail("given up") });
  table.forget(number);
  assert.equal(table.take("work-done", number), undefined);
});

test("on loss everything settles in order, each the way WebGPU says", () => {
  const settled: string[] = [];
  const table = new RequestTable(() => {});
  table.add({
    kind: "map",
    size: 4,
    contents: undefined,
    mapped: () => assert.fail("mapped"),
    failed: (name) => settled.push(name),
  });
  table.add({
    kind: "error-scope",
    popped: (error) => settled.push(String(error)),
    failed: () => assert.fail(),
  });
  table.add({ kind: "work-done", done: () => settled.push("done") });
  table.add({ kind: "pipeline", created: () => settled.push("created"), failed: () => assert.fail() });
  table.add({ kind: "compilation-info", known: (messages) => settled.push(`${messages.length} messages`) });
  table.abandonAll();
  assert.deepEqual(settled, ["AbortError", "null", "done", "created", "0 messages"]);
  assert.equal(table.size, 0);
});
