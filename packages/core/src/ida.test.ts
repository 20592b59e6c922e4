import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Ida } from "./ida.js";

test("it always hands out the lowest free number, like a set that is searched from below", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("allocate" as const), id: fc.nat(80) }),
    fc.record({ do: fc.constantFrom("take" as const, "free" as const), id: fc.nat(69) }),
  );
  const size = 70;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const ida = new Ida(size);
      const taken = new Set<number>();
      for (const { do: what, id } of steps) {
        if (what === "take") {
          assert.equal(ida.take(id), !taken.has(id));
          taken.add(id);
        } else if (what === "free") {
          assert.equal(ida.free(id), taken.delete(id));
        } else {
          let lowest: number | null = id;
          while (taken.has(lowest)) lowest += 1;
          if (lowest >= size) lowest = null;
          assert.equal(ida.allocate(id), lowest);
          if (lowest !== null) taken.add(lowest);
        }
        assert.equal(ida.has(id), taken.has(id));
      }
    }),
  );
});

test("a hundred thousand numbers are handed out once each, to the last one, and again when they come back", () => {
  const size = 100_000;
  const ida = new Ida(size);
  for (let id = 0; id < size; id += 1) assert.equal(ida.allocate(), id);
  assert.equal(ida.allocate(), null);
  for (const id of [99_999, 31, 0, 32_768]) assert.equal(ida.free(id), true);
  assert.deepEqual(
    [ida.allocate(), ida.allocate(32), ida.allocate(), ida.allocate(), ida.allocate()],
    [0, 32_768, 31, 99_999, null],
  );
});

test("a single number, and the last of many, can be taken", () => {
  const one = new Ida(1);
  assert.deepEqual([one.allocate(), one.allocate(), one.free(0), one.allocate()], [0, null, true, 0]);
  const many = new Ida(2 ** 20);
  assert.equal(many.take(2 ** 20 - 1), true);
  assert.equal(many.allocate(2 ** 20 - 1), null);
  assert.equal(many.allocate(2 ** 20 - 2), 2 ** 20 - 2);
});
