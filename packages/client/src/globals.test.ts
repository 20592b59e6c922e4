import assert from "node:assert/strict";
import { test } from "node:test";
import { defineGlobals, globals } from "./globals.js";
import type { GPU } from "./gpu.js";

const gpu = { name: "gpu" } as unknown as GPU;

test("a scope without navigator gets one, with gpu on it", () => {
  const scope: Record<string, unknown> = {};
  defineGlobals(scope, gpu);
  const navigator = scope["navigator"] as Record<string, unknown>;
  assert.equal(navigator["gpu"], gpu);
  assert.match(String(navigator["userAgent"]), /^Node\.js\/\d+$/);
  assert.equal(scope["GPUBufferUsage"], globals.GPUBufferUsage);
  assert.deepEqual(Object.keys(scope), []);
});

test("what is there already stays", () => {
  const other = { its: "own" };
  const scope: Record<string, unknown> = { navigator: { gpu: other }, GPUDevice: "theirs" };
  defineGlobals(scope, gpu);
  assert.equal((scope["navigator"] as Record<string, unknown>)["gpu"], other);
  assert.equal(scope["GPUDevice"], "theirs");
});

test("a navigator without gpu gets it as a getter", () => {
  const navigator = {};
  defineGlobals({ navigator }, gpu);
  const descriptor = Object.getOwnPropertyDescriptor(navigator, "gpu");
  assert.equal(typeof descriptor?.get, "function");
  assert.equal(descriptor?.set, undefined);
});
