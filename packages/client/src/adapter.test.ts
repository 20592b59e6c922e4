/// <reference types="@webgpu/types" />
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { create } from "webgpu";
import { World } from "./testing/world.test.fixture.js";

const dawn = create(["backend=null"]);
after(() => assert.ok(dawn));
const world = new World(dawn);

async function openAdapter(): Promise<GPUAdapter> {
  const adapter = await world.gpu.requestAdapter();
  assert.ok(adapter !== null);
  return adapter;
}

test("an adapter says what Dawn says of it", async () => {
  const adapter = await openAdapter();
  const native = await dawn.requestAdapter();
  assert.ok(native !== null);
  assert.deepEqual([...adapter.features].sort(), [...native.features].sort());
  assert.ok(adapter.features.has("core-features-and-limits"));
  assert.equal(adapter.features.has("no-such-feature"), false);
  for (const name in native.limits) {
    assert.equal(Reflect.get(adapter.limits, name), Reflect.get(native.limits, name), name);
  }
  assert.equal(adapter.info.vendor, native.info.vendor);
  assert.equal(adapter.info.isFallbackAdapter, native.info.isFallbackAdapter);
  assert.equal(adapter.features, adapter.features);
  assert.deepEqual([...world.gpu.wgslLanguageFeatures], [...dawn.wgslLanguageFeatures]);
});

test("a device has the features and limits that it was asked for", async () => {
  const adapter = await openAdapter();
  const device = await adapter.requestDevice({
    label: "mine",
    requiredFeatures: ["timestamp-query"],
    requiredLimits: { maxBufferSize: 2 ** 27 },
    defaultQueue: { label: "its queue" },
  });
  assert.ok(device.features.has("timestamp-query"));
  assert.equal(device.features.has("shader-f16"), false);
  assert.ok(device.limits.maxBufferSize >= 2 ** 27);
  assert.equal(device.label, "mine");
  assert.equal(device.queue.label, "its queue");
  assert.equal(device.adapterInfo.vendor, adapter.info.vendor);
  assert.notEqual(device.adapterInfo, adapter.info);
  assert.equal(device.adapterInfo, device.adapterInfo);
  device.destroy();
});

test("options that no adapter meets give null, and wrong ones an exception", async () => {
  assert.equal(await world.gpu.requestAdapter({ featureLevel: "future" }), null);
  const fallback = await world.gpu.requestAdapter({ forceFallbackAdapter: true });
  assert.ok(fallback === null || fallback.info.isFallbackAdapter);
  await assert.rejects(world.gpu.requestAdapter({ powerPreference: "nuclear" as never }), TypeError);
  await assert.rejects(world.gpu.requestAdapter(5 as never), TypeError);
});

test("of two requests at once the first gets the device, and a refused one does not consume the adapter", async () => {
  const adapter = await openAdapter();
  await assert.rejects(adapter.requestDevice({ requiredLimits: { maxBindGroups: 1000 } }), {
    name: "OperationError",
  });
  const first = adapter.requestDevice();
  const second = assert.rejects(adapter.requestDevice(), { name: "OperationError" });
  (await first).destroy();
  await second;
});

test("an adapter that went away gives a device that is lost and says why", async () => {
  const adapter = await openAdapter();
  world.source.adapterState = "gone";
  const device = await adapter.requestDevice();
  world.source.adapterState = "there";
  const info = await device.lost;
  assert.equal(info.reason, "unknown");
  assert.match(info.message, /unplugged/);
  device.queue.writeBuffer(device.createBuffer({ size: 2 ** 20, usage: 8 }), 0, new Uint8Array(2 ** 20));
  assert.equal(await device.popErrorScope(), null);
});
