import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProtocolError } from "../error.js";
import { InterfaceKind } from "./generated/numbers.js";
import { MAX_OBJECT_ID } from "./limits.js";
import { ObjectTable, UnavailableObjectError } from "./object-table.js";

const { GPUBuffer, GPUTexture, GPUComputePipeline } = InterfaceKind;

test("finds what was put under its handle and kind, nothing else", () => {
  const table = new ObjectTable();
  const buffer = {};
  table.put(300, GPUBuffer, buffer);
  assert.equal(table.get(300, GPUBuffer), buffer);
  assert.equal(table.getAny(300), buffer);
  assert.throws(
    () => table.get(300, GPUTexture),
    (error) => isProtocolError(error, "wrong-kind"),
  );
  assert.throws(
    () => table.get(301, GPUBuffer),
    (error) => isProtocolError(error, "unknown-object"),
  );
  assert.throws(
    () => table.get(0, 0),
    (error) => isProtocolError(error, "unknown-object"),
  );
  assert.throws(
    () => table.getAny(7),
    (error) => isProtocolError(error, "unknown-object"),
  );
  assert.equal(table.getNullable(0, GPUBuffer), null);
});

test("refuses handles that are taken or impossible", () => {
  const table = new ObjectTable();
  table.put(5, GPUBuffer, {});
  assert.throws(
    () => table.put(5, GPUBuffer, {}),
    (error) => isProtocolError(error, "id-in-use"),
  );
  for (const id of [0, -1, Number.NaN, MAX_OBJECT_ID, 2 ** 32]) {
    assert.throws(
      () => table.put(id, GPUBuffer, {}),
      (error) => isProtocolError(error, "bad-id"),
    );
  }
  table.put(MAX_OBJECT_ID - 1, GPUBuffer, {});
  assert.equal(table.size, 2);
});

test("takes no memory for the handles below one that is far away", () => {
  const tables = Array.from({ length: 64 }, () => new ObjectTable());
  const before = process.memoryUsage().heapUsed;
  for (const table of tables) {
    for (let id = 256; id < MAX_OBJECT_ID; id *= 2) table.put(id, GPUBuffer, { id });
    table.put(MAX_OBJECT_ID - 1, GPUTexture, {});
  }
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 2 ** 20);
  for (const table of tables) {
    assert.deepEqual(table.get(512, GPUBuffer), { id: 512 });
    assert.equal(table.kindOf(513), 0);
    table.put(513, GPUTexture, {});
    assert.equal([...table].length, 14);
    assert.ok(table.release(MAX_OBJECT_ID - 1));
  }
});

test("frees a handle once", () => {
  const table = new ObjectTable();
  const buffer = {};
  table.put(5, GPUBuffer, buffer);
  assert.equal(table.release(5), buffer);
  assert.throws(
    () => table.release(5),
    (error) => isProtocolError(error, "unknown-object"),
  );
  table.put(5, GPUTexture, {});
});

test("an object that could not be created makes its handle unavailable, not unknown", () => {
  const table = new ObjectTable();
  table.fail(5, GPUBuffer);
  assert.throws(() => table.get(5, GPUBuffer), UnavailableObjectError);
  assert.throws(() => table.getAny(5), UnavailableObjectError);
  assert.throws(
    () => table.get(5, GPUTexture),
    (error) => isProtocolError(error, "wrong-kind"),
  );
  assert.throws(
    () => table.put(5, GPUBuffer, {}),
    (error) => isProtocolError(error, "id-in-use"),
  );
  assert.equal(table.release(5), undefined);
});

test("a failure leaves handles alone that are taken or impossible", () => {
  const table = new ObjectTable();
  const buffer = {};
  table.put(5, GPUBuffer, buffer);
  table.fail(5, GPUTexture);
  table.fail(0, GPUTexture);
  table.fail(2 ** 32 - 1, GPUTexture);
  assert.equal(table.get(5, GPUBuffer), buffer);
  assert.equal(table.size, 1);
});

test("a reserved handle gets its object only while it is still that reservation's", () => {
  const table = new ObjectTable();
  const early = table.reserve(5, GPUComputePipeline);
  assert.throws(() => table.get(5, GPUComputePipeline), UnavailableObjectError);
  table.release(5);
  const late = table.reserve(5, GPUComputePipeline);
  assert.equal(early.fulfil({ early }), false);
  const pipeline = {};
  assert.equal(late.fulfil(pipeline), true);
  assert.equal(table.get(5, GPUComputePipeline), pipeline);
  assert.equal(late.fulfil({}), false);
});

test("behaves like a map from handles to objects", () => {
  const action = fc.record({
    id: fc.integer({ min: 1, max: 600 }),
    kind: fc.integer({ min: 1, max: 3 }),
    put: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const table = new ObjectTable();
      const map = new Map<number, { kind: number; object: object }>();
      for (const { id, kind, put } of actions) {
        if (put && !map.has(id)) {
          const object = { id };
          table.put(id, kind, object);
          map.set(id, { kind, object });
        } else if (map.delete(id)) table.release(id);
      }
      assert.deepEqual(
        [...table],
        [...map].sort(([a], [b]) => a - b).map(([id, { kind, object }]) => [id, kind, object]),
      );
      assert.equal(table.size, map.size);
    }),
  );
});
