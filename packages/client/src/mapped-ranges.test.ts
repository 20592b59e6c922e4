import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MappedRanges } from "./mapped-ranges.js";

const operationError = (error: unknown) => error instanceof DOMException && error.name === "OperationError";

test("ranges are checked for alignment, bounds and overlap", () => {
  const ranges = new MappedRanges("write", 8, 32);
  assert.throws(() => ranges.getRange(12, 4), operationError);
  assert.throws(() => ranges.getRange(8, 6), operationError);
  assert.throws(() => ranges.getRange(0, 8), operationError);
  assert.throws(() => ranges.getRange(32, 12), operationError);
  assert.equal(ranges.getRange(8, 8).byteLength, 8);
  assert.throws(() => ranges.getRange(8, 8), operationError);
  assert.throws(() => ranges.getRange(8, 32), operationError);
  assert.equal(ranges.getRange(16, 24).byteLength, 24);
});

test("two overlapping ranges are never both out, and bytes come from where they were mapped", () => {
  const unit = fc.nat({ max: 8 });
  fc.assert(
    fc.property(fc.array(fc.tuple(unit, unit), { maxLength: 12 }), (wishes) => {
      const contents = Uint8Array.from({ length: 64 }, (_, index) => index).buffer;
      const ranges = new MappedRanges("read", 64, 64, contents);
      const owner = new Array<number>(8).fill(-1);
      wishes.forEach(([at, length], index) => {
        const free = at + length <= 8 && owner.slice(at, at + length).every((who) => who === -1);
        try {
          const bytes = new Uint8Array(ranges.getRange(64 + at * 8, length * 8));
          if (length > 0) assert.ok(free);
          owner.fill(index, at, at + length);
          assert.deepEqual(
            [...bytes],
            Array.from({ length: length * 8 }, (_, byte) => at * 8 + byte),
          );
        } catch (error) {
          assert.ok(operationError(error), String(error));
          if (length > 0) assert.ok(!free);
        }
      });
    }),
  );
});

test("the whole range is handed out without a copy", () => {
  const contents = new ArrayBuffer(16);
  assert.equal(new MappedRanges("read", 0, 16, contents).getRange(0, 16), contents);
});

test("what was handed out is detached at the end, and only writes are sent back", () => {
  const ranges = new MappedRanges("write", 0, 16);
  const first = ranges.getRange(0, 8);
  const taken = ranges.getRange(8, 8);
  structuredClone(taken, { transfer: [taken] });
  assert.deepEqual(
    ranges.written().map((range) => range.offset),
    [0],
  );
  ranges.detach();
  assert.equal(first.byteLength, 0);

  const reading = new MappedRanges("read", 0, 8);
  reading.getRange(0, 8);
  assert.deepEqual(reading.written(), []);
});
