import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BUFFER_OBJECT_BYTES,
  bufferBytes,
  querySetBytes,
  STAGING_RING_BYTES,
  shaderModuleBytes,
  stagingBytes,
  textureMemory,
} from "./sizes.js";

const [MAP_READ, COPY_DST, VERTEX] = [1, 8, 32];
const MiB = 2 ** 20;
const buffer = (size: number, usage: number, kind: "gpu" | "cpu") =>
  bufferBytes(size, usage, kind) - BUFFER_OBJECT_BYTES;

test("a GPU's allocator gives small buffers a power of two, and others whole pages", () => {
  assert.equal(buffer(0, COPY_DST, "gpu"), 256);
  assert.equal(buffer(300, COPY_DST, "gpu"), 512);
  assert.equal(buffer(3 * MiB, COPY_DST, "gpu"), 4 * MiB);
  assert.equal(buffer(4 * MiB + 1, COPY_DST, "gpu"), 4 * MiB + 4096);
  assert.equal(buffer(300, MAP_READ | COPY_DST, "gpu"), 4096);
});

test("a buffer for vertices has a byte more than it says", () => {
  assert.equal(buffer(512, VERTEX, "gpu"), 1024);
  assert.equal(buffer(512, COPY_DST, "gpu"), 512);
});

test("on a software GPU the untouched end of an allocation does not count, but whole pages do", () => {
  assert.equal(buffer(3 * MiB + 1, COPY_DST, "cpu"), 3 * MiB + 4096);
  assert.equal(buffer(256, COPY_DST, "cpu"), 4096);
  assert.equal(buffer(1024, MAP_READ | COPY_DST, "cpu"), 1024);
  assert.ok(textureMemory(2.5 * MiB, "cpu") < textureMemory(2.5 * MiB, "gpu"));
});

test("nothing is free", () => {
  assert.ok(buffer(0, COPY_DST, "gpu") > 0 && bufferBytes(0, COPY_DST, "cpu") > 0);
  assert.ok(textureMemory(1, "cpu") > 0 && querySetBytes(1) > 0);
});

test("a longer program costs more, as it was measured to", () => {
  const lengths = [0, 1, 200, 1700, 1701, 10_000, 1_000_000];
  const bytes = lengths.map(shaderModuleBytes);
  assert.deepEqual(
    bytes,
    bytes.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(bytes).size, lengths.length);
  // Measured: 200 modules of some 190 units took 65 KB each, 50 of some 10,000 took 975 KB.
  assert.ok(Math.abs(shaderModuleBytes(190) / 65_000 - 1) < 0.15);
  assert.ok(Math.abs(shaderModuleBytes(10_000) / 975_000 - 1) < 0.05);
});

test("staging comes in rings, of which one stays", () => {
  assert.deepEqual(
    [0, 1, STAGING_RING_BYTES, STAGING_RING_BYTES + 1].map(stagingBytes),
    [1, 1, 1, 2].map((rings) => rings * STAGING_RING_BYTES),
  );
});
