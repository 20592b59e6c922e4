import assert from "node:assert/strict";
import { test } from "node:test";
import { globals } from "../globals.js";

const constructible: ReadonlySet<string> = new Set([
  "GPUValidationError",
  "GPUOutOfMemoryError",
  "GPUInternalError",
  "GPUPipelineError",
  "GPUUncapturedErrorEvent",
]);
const namespaces: ReadonlySet<string> = new Set([
  "GPUBufferUsage",
  "GPUColorWrite",
  "GPUMapMode",
  "GPUShaderStage",
  "GPUTextureUsage",
]);

for (const [name, value] of Object.entries(globals)) {
  if (namespaces.has(name)) {
    test(`${name} is a namespace of constants`, () => {
      assert.equal(String(value), `[object ${name}]`);
      for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
        assert.deepEqual([key, descriptor.writable, descriptor.configurable], [key, false, false]);
      }
    });
    continue;
  }
  const Class = value as unknown as new () => object;
  test(`${name} looks like an interface object`, () => {
    assert.equal(Class.name, name);
    const tag: unknown = Reflect.get(Class.prototype as object, Symbol.toStringTag);
    assert.equal(tag, name);
    for (const [key, descriptor] of Object.entries(
      Object.getOwnPropertyDescriptors(Class.prototype as object),
    )) {
      assert.equal(descriptor.enumerable, key !== "constructor", key);
    }
    if (!constructible.has(name)) assert.throws(() => new Class(), TypeError);
  });
}

test("methods have as many required arguments as the IDL gives them", () => {
  const lengths: [object, string, number][] = [
    [globals.GPUBuffer.prototype, "mapAsync", 1],
    [globals.GPUBuffer.prototype, "getMappedRange", 0],
    [globals.GPUQueue.prototype, "writeBuffer", 3],
    [globals.GPUQueue.prototype, "writeTexture", 4],
    [globals.GPUQueue.prototype, "submit", 1],
    [globals.GPUComputePassEncoder.prototype, "dispatchWorkgroups", 1],
    [globals.GPUComputePassEncoder.prototype, "setBindGroup", 2],
    [globals.GPUComputePassEncoder.prototype, "setImmediates", 2],
    [globals.GPURenderPassEncoder.prototype, "setVertexBuffer", 2],
    [globals.GPURenderPassEncoder.prototype, "setViewport", 6],
    [globals.GPURenderPassEncoder.prototype, "draw", 1],
    [globals.GPUCommandEncoder.prototype, "copyBufferToBuffer", 2],
    [globals.GPUCommandEncoder.prototype, "clearBuffer", 1],
    [globals.GPUDevice.prototype, "createSampler", 0],
    [globals.GPUDevice.prototype, "createBuffer", 1],
    [globals.GPU.prototype, "requestAdapter", 0],
  ];
  for (const [prototype, method, length] of lengths) {
    const value: unknown = Reflect.get(prototype, method);
    assert.equal(typeof value === "function" ? value.length : "no method", length, method);
  }
});

test("labels are on each interface, and errors are of their kind", () => {
  assert.ok(Object.hasOwn(globals.GPUBuffer.prototype, "label"));
  const error = new globals.GPUValidationError("why");
  assert.ok(error instanceof globals.GPUError);
  assert.equal(error.message, "why");
  assert.equal(String(error), "[object GPUValidationError]");
  assert.throws(() => new (globals.GPUValidationError as new () => object)(), TypeError);
  assert.throws(() => new globals.GPUPipelineError("why"), TypeError);
  const pipelineError = new globals.GPUPipelineError("why", { reason: "internal" });
  assert.ok(pipelineError instanceof DOMException);
  assert.equal(pipelineError.name, "GPUPipelineError");
  const event = new globals.GPUUncapturedErrorEvent("uncapturederror", { error, cancelable: true });
  assert.equal(event.error, error);
  assert.ok(event.cancelable);
  assert.throws(() => new globals.GPUUncapturedErrorEvent("uncapturederror", {}), TypeError);
});
