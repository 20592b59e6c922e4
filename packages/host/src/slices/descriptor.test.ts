import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HostError } from "../host-error.js";
import { changeDescriptor, describeSlice, fixedShares, parseSliceWish, sliceTypes } from "./descriptor.js";
import { aCapacity, aWish } from "./descriptor.test.fixture.js";

const GiB = 2 ** 30;

function refused(field: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HostError && error.code === "bad-descriptor", String(error));
    assert.equal(error.details["field"], field);
    assert.match(error.message, new RegExp(field.replace(".", "\\.")));
    return true;
  };
}

test("a fixed type is its part of the adapter, reserved and limited", () => {
  for (const [type, part] of Object.entries(fixedShares)) {
    const slice = describeSlice({ type: type as "full" }, 8 * GiB);
    const bytes = 8 * GiB * part;
    assert.deepEqual(slice.memory, { reservedBytes: bytes, limitBytes: bytes });
    assert.deepEqual([slice.share, slice.weight, slice.cap], [part, part * 8, 1]);
  }
});

test("without a type it is shared, or custom where memory or a share is named", () => {
  assert.equal(describeSlice({ weight: 3 }, GiB).type, "shared");
  assert.deepEqual(describeSlice({}, GiB).memory, { reservedBytes: 0, limitBytes: GiB });
  const custom = describeSlice({ memory: { limitBytes: 1e6 }, share: 0.25 }, GiB);
  assert.deepEqual([custom.type, custom.memory.reservedBytes, custom.weight], ["custom", 1e6, 2]);
  assert.throws(() => describeSlice({ share: 0.5 }, GiB), refused("memory.limitBytes"));
});

test("what contradicts the type or itself is refused by the field's name", () => {
  const half = { type: "half" } as const;
  assert.throws(() => describeSlice({ ...half, memory: { limitBytes: 1 } }, GiB), refused("memory"));
  assert.throws(() => describeSlice({ ...half, share: 0.25 }, GiB), refused("share"));
  assert.throws(() => describeSlice({ ...half, cap: 0.25 }, GiB), refused("cap"));
  assert.throws(() => describeSlice({ type: "shared", share: 0.5 }, GiB), refused("share"));
  const memory = { reservedBytes: 3e6, limitBytes: 2e6 };
  assert.throws(() => describeSlice({ memory }, GiB), refused("memory.reservedBytes"));
});

test("each field of what comes from outside is checked", () => {
  const wrong: readonly [unknown, string][] = [
    [{ type: "third" }, "type"],
    [{ memory: 5 }, "memory"],
    [{ memory: { limitBytes: 1.5e6 + 0.5 } }, "memory.limitBytes"],
    [{ memory: { limit: 5 } }, "limit"],
    [{ share: 1.5 }, "share"],
    [{ weight: 0 }, "weight"],
    [{ cap: Number.NaN }, "cap"],
    [{ submissionMs: "2s" }, "submissionMs"],
    [{ objects: -1 }, "objects"],
    [{ engines: 2 }, "engines"],
    [{ speed: 1 }, "speed"],
    [null, "the descriptor"],
  ];
  for (const [value, field] of wrong) assert.throws(() => parseSliceWish(value), refused(field));
});

test("any JSON is a wish or is refused as a descriptor", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...sliceTypes), (value, type) => {
      for (const given of [value, { type, memory: value }, { type, share: value, weight: value }]) {
        try {
          assert.equal(typeof parseSliceWish(given), "object");
        } catch (error) {
          assert.ok(error instanceof HostError && error.code === "bad-descriptor", String(error));
        }
      }
    }),
  );
});

test("what was resolved is well-formed, and is left alone by no changes", () => {
  fc.assert(
    fc.property(aCapacity, aWish, (capacity, wish) => {
      const descriptor = describeSlice(wish, capacity);
      const { memory, share, weight, cap } = descriptor;
      assert.ok(memory.reservedBytes >= 0 && memory.reservedBytes <= memory.limitBytes);
      assert.ok(share <= cap && weight > 0);
      assert.deepEqual(changeDescriptor(descriptor, {}, capacity), descriptor);
    }),
  );
});

test("a change keeps what it does not name", () => {
  const half = describeSlice({ type: "half", objects: 7 }, 8 * GiB);
  const grown = changeDescriptor(half, { memory: { limitBytes: 6 * GiB } }, 8 * GiB);
  assert.deepEqual([grown.type, grown.share, grown.objects], ["custom", 0.5, 7]);
  assert.deepEqual(grown.memory, { reservedBytes: 6 * GiB, limitBytes: 6 * GiB });
  const quarter = changeDescriptor(half, { type: "quarter" }, 8 * GiB);
  assert.deepEqual([quarter.share, quarter.weight, quarter.memory.limitBytes], [0.25, 2, 2 * GiB]);
  assert.equal(changeDescriptor(half, { weight: 1 }, 8 * GiB).type, "half");
  const shared = describeSlice({ type: "shared" }, 8 * GiB);
  const bounded = changeDescriptor(shared, { memory: { limitBytes: GiB } }, 8 * GiB);
  assert.deepEqual([bounded.type, bounded.memory], ["shared", { reservedBytes: 0, limitBytes: GiB }]);
  assert.equal(changeDescriptor(bounded, { cap: 0.5 }, 8 * GiB).memory.limitBytes, GiB);
});
