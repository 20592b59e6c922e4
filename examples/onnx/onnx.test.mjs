import assert from "node:assert/strict";
import { test } from "node:test";
import { compareResults } from "../compare.mjs";
import { inGuest, inProcess, withoutGpu } from "../lib/run-program.mjs";

test("ONNX Runtime Web sees which way up a line is, the same in a guest, in process, and on WebAssembly", async () => {
  // The older WebGPU code compiles its shaders three times as fast here.
  const program = ["onnx/turned-text.mjs", "--build", "all"];
  const guest = await inGuest(program);
  const plain = await inProcess(program);
  assert.equal(guest.asItIs.direction, "upright");
  assert.equal(guest.turned.direction, "upside down");
  assert.deepEqual(guest.adapter, plain.adapter);
  assert.deepEqual(guest.tensors, plain.tensors);

  const wasm = await withoutGpu([...program, "--provider", "wasm"]);
  const { largestAbsolute } = compareResults(guest, wasm).tensors.probabilities;
  assert.ok(largestAbsolute < 1e-6, `probabilities differ by ${largestAbsolute}`);
});
