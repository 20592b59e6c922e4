import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { compareResults } from "../compare.mjs";
import { inGuest, inProcess, withoutGpu } from "../lib/run-program.mjs";

const PHOTO = fileURLToPath(new URL("../demo/sample3.jpg", import.meta.resolve("@vladmandic/face-api")));

test("TensorFlow.js multiplies matrices in a guest as in process, bit by bit", async () => {
  const guest = await inGuest(["tfjs/matmul.mjs"]);
  const plain = await inProcess(["tfjs/matmul.mjs"]);
  assert.equal(guest.backend, "webgpu");
  assert.deepEqual(guest.adapter, plain.adapter);
  assert.equal(guest.tensors.product.length, 256);
  assert.deepEqual(guest.tensors, plain.tensors);
  // Sums of 256 products of numbers up to 0.5, in single precision.
  assert.ok(guest.largestDifferenceToCpu < 1e-4, `differs by ${guest.largestDifferenceToCpu}`);
});

test("TensorFlow.js finds the same faces in a guest, in process, and in plain JavaScript", async () => {
  const program = ["tfjs/faces.mjs", "--size", "288", "--repeats", "0", PHOTO];
  const guest = await inGuest(program);
  const plain = await inProcess(program);
  assert.equal(guest.photos[0].boxes.length, 2);
  assert.deepEqual(guest.photos, plain.photos);

  const cpu = await withoutGpu([...program, "--backend", "cpu"]);
  const [{ unmatched, largestPixels, largestScore }] = compareResults(guest, cpu).photos;
  assert.equal(unmatched, 0);
  assert.ok(largestPixels < 0.01, `boxes differ by ${largestPixels} pixels`);
  assert.ok(largestScore < 1e-5, `scores differ by ${largestScore}`);
});
