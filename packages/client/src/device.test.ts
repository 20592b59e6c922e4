/// <reference types="@webgpu/types" />
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { create } from "webgpu";
import { eventually, World } from "./testing/world.test.fixture.js";

const dawn = create(["backend=null"]);
after(() => assert.ok(dawn));
const world = new World(dawn);

const invalid: GPUBufferDescriptor = { size: 8, usage: 0 };

test("an error goes to the scope of its kind, and the scope says what it was", async () => {
  const { device } = await world.open();
  device.pushErrorScope("validation");
  device.pushErrorScope("out-of-memory");
  device.createBuffer(invalid);
  assert.equal(await device.popErrorScope(), null);
  const error = await device.popErrorScope();
  assert.equal(error?.constructor.name, "GPUValidationError");
  assert.match(error?.message ?? "", /usage/i);
  device.destroy();
});

test("an error without a scope is dispatched to listeners and the handler, in the order they were set", async () => {
  const { device } = await world.open();
  const heard: string[] = [];
  device.addEventListener("uncapturederror", () => heard.push("first"));
  device.onuncapturederror = () => heard.push("replaced");
  device.addEventListener("uncapturederror", (event) => heard.push(event.error.constructor.name));
  device.onuncapturederror = () => heard.push("handler");
  const before = world.reports.length;
  device.createBuffer(invalid);
  await eventually("the error", () => heard.length === 3);
  assert.deepEqual(heard, ["first", "handler", "GPUValidationError"]);
  assert.equal(world.reports.length, before);
  device.destroy();
});

test("a handler that was removed and set again is behind those that came meanwhile", async () => {
  const { device } = await world.open();
  const heard: string[] = [];
  device.onuncapturederror = () => heard.push("handler");
  device.onuncapturederror = null;
  device.addEventListener("uncapturederror", () => heard.push("listener"));
  device.onuncapturederror = () => heard.push("handler");
  device.createBuffer(invalid);
  await eventually("the error", () => heard.length === 2);
  assert.deepEqual(heard, ["listener", "handler"]);
  device.destroy();
});

test("an error that nobody listens for is reported once", async () => {
  const { device } = await world.open();
  device.onuncapturederror = () => assert.fail("was removed");
  device.onuncapturederror = null;
  const before = world.reports.length;
  device.createBuffer(invalid);
  await device.queue.onSubmittedWorkDone();
  await eventually("the report", () => world.reports.length > before);
  assert.equal(world.reports.length, before + 1);
  assert.match(world.reports.at(-1) ?? "", /^Uncaptured WebGPU validation error: /);
  device.destroy();
});

test("promises settle in the order of their calls", async () => {
  const { device } = await world.open();
  const settled: number[] = [];
  const buffer = device.createBuffer({ size: 8, usage: 1 | 8 });
  device.pushErrorScope("validation");
  await Promise.all([
    device.queue.onSubmittedWorkDone().then(() => settled.push(0)),
    buffer.mapAsync(1).then(() => settled.push(1)),
    device.queue.onSubmittedWorkDone().then(() => settled.push(2)),
  ]);
  assert.deepEqual(settled, [0, 1, 2]);
  device.destroy();
});

test("compilation messages arrive with their places", async () => {
  const { device } = await world.open();
  device.pushErrorScope("validation");
  const { messages } = await device
    .createShaderModule({ code: "fn main() {\n  nonsense;\n}" })
    .getCompilationInfo();
  assert.ok(Object.isFrozen(messages));
  assert.equal(messages[0]?.type, "error");
  assert.equal(messages[0]?.lineNum, 2);
  device.destroy();
});

test("a pipeline that can't be is a GPUPipelineError with its reason", async () => {
  const { device } = await world.open();
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: "nonsense" });
  await assert.rejects(
    device.createComputePipelineAsync({ layout: "auto", compute: { module } }),
    (error: GPUPipelineError) =>
      error.constructor.name === "GPUPipelineError" && error.reason === "validation",
  );
  device.destroy();
});

test("a pipeline that was created asynchronously works, and each of its layouts is an object of its own", async () => {
  const { device, opened } = await world.open();
  const module = device.createShaderModule({
    code: "@group(0) @binding(0) var<storage, read_write> x: array<u32>; @compute @workgroup_size(1) fn main() { x[0] = 1; }",
  });
  const pipeline = await device.createComputePipelineAsync({
    layout: "auto",
    compute: { module },
    label: "one",
  });
  assert.equal(pipeline.label, "one");
  const layout = pipeline.getBindGroupLayout(0);
  await device.queue.onSubmittedWorkDone();
  const { size } = opened.engine.objects;
  const again = pipeline.getBindGroupLayout(0);
  again.label = "again";
  assert.equal(layout.label, "");
  await device.queue.onSubmittedWorkDone();
  assert.equal(opened.engine.objects.size, size, "the engine made none");
  const buffer = device.createBuffer({ size: 16, usage: 128 });
  device.pushErrorScope("validation");
  const group = device.createBindGroup({ layout: again, entries: [{ binding: 0, resource: { buffer } }] });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  assert.equal(await device.popErrorScope(), null);
  assert.deepEqual(opened.engine.failures, []);
  device.destroy();
});

test("an object of another device is refused by the engine's validation", async () => {
  const { device: one } = await world.open();
  const { device: two } = await world.open();
  const foreign = one.createBuffer({ size: 16, usage: 8 });
  two.pushErrorScope("validation");
  two.queue.writeBuffer(foreign, 0, new Uint8Array(4));
  const error = await two.popErrorScope();
  assert.equal(error?.constructor.name, "GPUValidationError");
  assert.match(error?.message ?? "", /device/i);
  one.destroy();
  two.destroy();
});

test("a texture says nothing of compatibility mode", async () => {
  const { device } = await world.open();
  const texture = device.createTexture({
    size: [4],
    format: "rgba8unorm",
    usage: 4,
    textureBindingViewDimension: "2d-array",
  });
  assert.equal(texture.textureBindingViewDimension, undefined);
  device.destroy();
});

test("labels reach the engine, and its messages", async () => {
  const { device } = await world.open();
  const buffer = device.createBuffer({ size: 8, usage: 4, label: "before" });
  assert.equal(buffer.label, "before");
  buffer.label = "behind";
  device.pushErrorScope("validation");
  device.queue.writeBuffer(buffer, 0, new Uint8Array(4));
  assert.match((await device.popErrorScope())?.message ?? "", /behind/);
  device.destroy();
});

test("destroy loses the device at once; what was asked before settles, what comes after does nothing", async () => {
  const { device, opened } = await world.open();
  device.pushErrorScope("validation");
  const before = [device.popErrorScope(), device.queue.onSubmittedWorkDone()];
  device.destroy();
  const { reason } = await device.lost;
  assert.equal(reason, "destroyed");
  await Promise.all(before);

  const buffer = device.createBuffer({ size: 8, usage: 1 | 8 });
  assert.equal(buffer.size, 8);
  await assert.rejects(buffer.mapAsync(1), { name: "AbortError" });
  assert.equal(await device.popErrorScope(), null);
  assert.equal(await device.queue.onSubmittedWorkDone(), undefined);
  const module = device.createShaderModule({ code: "nonsense" });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  assert.equal(pipeline.constructor.name, "GPUComputePipeline");
  assert.deepEqual((await module.getCompilationInfo()).messages, []);
  assert.equal(
    device.createBuffer({ size: 8, usage: 8, mappedAtCreation: true }).getMappedRange().byteLength,
    8,
  );
  assert.throws(() => device.createBuffer({} as GPUBufferDescriptor), TypeError);
  await eventually("the release", () => opened.state() === "released");
});

for (const [how, lose, why] of [
  ["the engine says so", (world) => world.engine.lose("the GPU hung"), /the GPU hung/],
  ["the node says so", (world) => world.tellLost("unplugged"), /^unplugged$/],
  ["the queue breaks", (world) => world.hangUp(new Error("killed")), /queue broke/],
] as readonly [string, (opened: Awaited<ReturnType<World["open"]>>["opened"]) => void, RegExp][]) {
  test(`when ${how}, everything that waits settles and lost says why`, async () => {
    const { device, opened } = await world.open();
    const buffer = device.createBuffer({ size: 8, usage: 1 | 8 });
    const mapping = assert.rejects(buffer.mapAsync(1), { name: "AbortError" });
    const popped = device.popErrorScope();
    const done = device.queue.onSubmittedWorkDone();
    lose(opened);
    const info = await device.lost;
    assert.equal(info.reason, "unknown");
    assert.match(info.message, why);
    await mapping;
    assert.equal(await popped, null);
    await done;
    assert.equal(opened.state(), "released");
    device.queue.submit([device.createCommandEncoder().finish()]);
    assert.equal(await device.queue.onSubmittedWorkDone(), undefined);
  });
}

test("what nobody waits for reaches the engine soon after the turn", async () => {
  const { device, opened } = await world.open();
  const { engine } = opened;
  await device.queue.onSubmittedWorkDone();
  const before = engine.replayed;
  device.createSampler();
  assert.equal(engine.replayed, before);
  await eventually("the sampler", () => engine.replayed === before + 1);
  device.destroy();
});

test("a hundred devices live beside each other", async () => {
  const devices = await Promise.all(Array.from({ length: 100 }, async () => (await world.open()).device));
  await Promise.all(devices.map((device) => device.queue.onSubmittedWorkDone()));
  for (const device of devices) device.destroy();
  await Promise.all(devices.map((device) => device.lost));
});
