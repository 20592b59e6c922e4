import assert from "node:assert/strict";
import { test } from "node:test";
import { inGuest, inProcess } from "../lib/run-program.mjs";

test("TypeGPU moves its planets in a guest as in process, bit by bit", async () => {
  const guest = await inGuest(["typegpu/orbits.mjs"]);
  const plain = await inProcess(["typegpu/orbits.mjs"]);
  assert.deepEqual(guest.adapter, plain.adapter);
  assert.equal(guest.tensors.positions.length, 3 * 256);
  assert.deepEqual(guest.tensors, plain.tensors);
  assert.ok(guest.turns > 0);
  assert.ok(guest.largestDifferenceToCpu < 1e-3, `differs by ${guest.largestDifferenceToCpu}`);
});
