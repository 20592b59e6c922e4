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

test("no byte is out twice, and bytes come from where they were mapped", () => {
  const unit = fc.nat({ max: 8 });
  fc.assert(
    fc.property(fc.array(fc.tuple(unit, unit), { maxLength: 12 }), (wishes) => {
      const contents = Uint8Array.from({ length: 64 }, (_, index) => index).buffer;
      const ranges = new MappedRanges("read", 64, 64, contents);
      const out = new Set<number>();
      for (const [at, length] of wishes) {
        const wanted = Array.from({ length: length * 8 }, (_, byte) => at * 8 + byte);
        try {
          const bytes = new Uint8Array(ranges.getRange(64 + at * 8, length * 8));
          assert.deepEqual([...bytes], wanted);
          for (const byte of wanted) assert.ok(!out.has(byte), `byte ${byte} is out twice`);
          for (const byte of wanted) out.add(byte);
        } catch (error) {
          assert.ok(operationError(error), String(error));
        }
      }
    }),
  );
});

test("an empty range only excludes what surrounds it, as in Dawn", () => {
  const ranges = new MappedRanges("read", 0, 64);
  assert.equal(ranges.getRange(8, 0).byteLength, 0);
  assert.equal(ranges.getRange(8, 0).byteLength, 0);
  assert.throws(() => ranges.getRange(0, 16), operationError);
  assert.equal(ranges.getRange(8, 8).byteLength, 8);
});

test("the whole range is handed out without a copy", () => {
  const contents = new ArrayBuffer(16);
  assert.equal(new MappedRanges("read", 0, 16, contents).getRange(0, 16), contents);
});

test("the memory of the contents comes back when the mapping ends, unless the application took it away", () => {
  const contents = Uint8Array.from({ length: 16 }, (_, i) => i).buffer;
  const whole = new MappedRanges("read", 0, 16, contents);
  const seen = whole.getRange(0, 16);
  const memory = whole.detach();
  assert.equal(seen.byteLength, 0);
  assert.deepEqual([...new Uint8Array(memory as ArrayBuffer)], [...Array(16).keys()]);

  const unread = new MappedRanges("read", 0, 16, memory as ArrayBuffer);
  assert.equal(unread.detach(), memory);

  const taken = new MappedRanges("read", 0, 16, memory as ArrayBuffer);
  const mine = taken.getRange(0, 16);
  const stolen = structuredClone(mine, { transfer: [mine] });
  assert.equal(taken.detach(), undefined);
  assert.equal(stolen.byteLength, 16);
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
