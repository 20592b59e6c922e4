import assert from "node:assert/strict";
import { test } from "node:test";
import { Shared } from "./shared.js";

function watched<T extends object>(value: T): { value: T; uses: string[] } {
  const uses: string[] = [];
  const shared = new Shared((on, mode) => uses.push(`${mode} ${on.name}`));
  return { value: shared.watch("it", value), uses };
}

test("methods of an instance are seen to use its fields", () => {
  class Counter {
    private count = 0;
    private readonly names: string[] = [];
    add(name: string): number {
      this.names.push(name);
      this.count += 1;
      return this.count;
    }
  }
  const { value, uses } = watched(new Counter());
  assert.equal(value.add("a"), 1);
  assert.deepEqual(uses, [
    "read it.names",
    "write it.names",
    "read it.names",
    "write it.names",
    "write it.names",
    "read it.count",
    "write it.count",
    "read it.count",
  ]);
});

test("maps and sets behave as they do, and count as one object each", () => {
  const { value, uses } = watched({ map: new Map([["a", { n: 1 }]]), set: new Set([1]) });
  assert.equal(value.map.set("b", { n: 2 }), value.map);
  assert.deepEqual([...value.map.keys()], ["a", "b"]);
  assert.deepEqual(
    [...value.map].map(([key, { n }]) => [key, n]),
    [
      ["a", 1],
      ["b", 2],
    ],
  );
  assert.equal(value.map.get("a"), value.map.get("a"));
  let sum = 0;
  for (const { n } of value.map.values()) sum += n;
  value.set.forEach((n) => {
    sum += n;
  });
  assert.equal(sum, 4);
  assert.equal(value.map.size, 2);
  assert.ok(value.set.has(1) && value.set.delete(1) && !value.set.has(1));
  assert.ok(
    uses.includes("write it.map") && uses.includes("write it.set") && uses.includes("read it.map[…].n"),
  );
});

test("a thing taken out and put back is the same thing", () => {
  const connection = { id: 1 };
  const { value } = watched({ idle: [connection], busy: new Set<object>() });
  const taken = value.idle.pop();
  assert.ok(taken !== undefined);
  value.busy.add(taken);
  assert.ok(value.busy.has(taken));
  value.busy.delete(taken);
  value.idle.push(taken);
  assert.ok(value.idle.includes(taken));
  assert.equal(value.idle.indexOf(taken), 0);
});

test("promises and instances inside are left alone", async () => {
  const { value } = watched({ promise: Promise.resolve(1), date: new Date(0) });
  assert.equal(await value.promise, 1);
  assert.equal(value.date.getTime(), 0);
  assert.ok(!("other" in value));
});
