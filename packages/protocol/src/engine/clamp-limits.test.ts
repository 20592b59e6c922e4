import assert from "node:assert/strict";
import { test } from "node:test";
import { clampLimits } from "./clamp-limits.js";

const GiB = 2 ** 30;
const adapter = {
  maxBufferSize: 4 * GiB,
  maxStorageBufferBindingSize: 2 * GiB,
  maxTextureDimension2D: 16_384,
  maxBindGroups: 4,
};

test("sizes that a slice can't hold are those that it can, and nothing else changes", () => {
  assert.deepEqual(clampLimits(adapter, GiB + 3), {
    ...adapter,
    maxBufferSize: GiB,
    maxStorageBufferBindingSize: GiB,
  });
  assert.deepEqual(clampLimits(adapter, 64 * GiB), adapter);
});

test("what WebGPU guarantees stays, however small the slice is", () => {
  const { maxBufferSize, maxStorageBufferBindingSize } = clampLimits(adapter, 1000);
  assert.deepEqual([maxBufferSize, maxStorageBufferBindingSize], [268_435_456, 134_217_728]);
});

test("a limit that the adapter does not have, or has lower, is left alone", () => {
  assert.deepEqual(clampLimits({ maxBufferSize: 1000 }, GiB), { maxBufferSize: 1000 });
});
