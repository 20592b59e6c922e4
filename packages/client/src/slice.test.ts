/// <reference types="@webgpu/types" />
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { SliceMemory } from "parhelion-protocol";
import { create } from "webgpu";
import { globals } from "./globals.js";
import type { SliceLink } from "./link/adapter-source.js";
import { World } from "./testing/world.test.fixture.js";

const dawn = create(["backend=null"]);
after(() => assert.ok(dawn));

/** A slice whose memory the test decides. */
class TestSlice implements SliceLink {
  readonly uuid = "0b1c";
  readonly type = "half";
  memory: SliceMemory = { limit: 100, used: 10, reserved: 50 };
  readonly listeners = new Set<(memory: SliceMemory) => void>();

  onMemoryChanged(listener: (memory: SliceMemory) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  use(used: number): void {
    this.memory = { ...this.memory, used };
    for (const listener of [...this.listeners]) listener(this.memory);
  }
}

async function adapterOn(slice: TestSlice | null) {
  const world = new World(dawn);
  world.source.slice = slice;
  const adapter = await world.gpu.requestAdapter();
  assert.ok(adapter !== null);
  return { world, adapter };
}

test("an adapter that is no slice has none", async () => {
  const { adapter } = await adapterOn(null);
  assert.equal(adapter.slice, null);
});

test("a slice says whose it is and what of its memory is in use, on adapter and device", async () => {
  const link = new TestSlice();
  const { adapter } = await adapterOn(link);
  const device = await adapter.requestDevice();
  const { slice } = adapter;
  assert.ok(slice instanceof EventTarget && slice === device.slice);
  assert.deepEqual([slice.uuid, slice.type], ["0b1c", "half"]);
  const { memory } = slice;
  assert.equal(slice.memory, memory);
  link.use(20);
  assert.deepEqual([memory.limit, memory.used, memory.reserved], [100, 10, 50], "a snapshot stays");
  assert.equal(slice.memory.used, 20);
  assert.equal(Object.prototype.toString.call(slice), "[object GPUSlice]");
  device.destroy();
});

test("attributes work on objects of their own interface alone, which nobody else can make", async () => {
  const { adapter } = await adapterOn(new TestSlice());
  assert.ok(adapter.slice !== null);
  for (const name of ["uuid", "type", "memory", "onmemorychange"])
    assert.throws(() => Reflect.get(globals.GPUSlice.prototype, name, {}), TypeError, name);
  assert.throws(() => Reflect.get(globals.GPUSliceMemory.prototype, "used", {}), TypeError);
  assert.throws(() => Reflect.get(globals.GPUSlices.prototype, "onchange", {}), TypeError);
});

test("memorychange tells of changes, and the source is watched only while somebody listens", async () => {
  const link = new TestSlice();
  const { adapter } = await adapterOn(link);
  const { slice } = adapter;
  assert.ok(slice !== null);
  assert.equal(link.listeners.size, 0);
  const heard: string[] = [];
  const listener = (event: Event) => heard.push(`${event.type} ${slice.memory.used}`);
  slice.addEventListener("memorychange", listener);
  slice.addEventListener("memorychange", () => heard.push("once"), { once: true });
  slice.onmemorychange = () => heard.push("handler");
  assert.equal(link.listeners.size, 1);
  link.use(30);
  assert.deepEqual(heard.splice(0), ["memorychange 30", "once", "handler"]);
  slice.onmemorychange = null;
  link.use(40);
  assert.deepEqual(heard.splice(0), ["memorychange 40"]);
  slice.removeEventListener("memorychange", listener);
  assert.equal(link.listeners.size, 0);
  slice.onmemorychange = "no function" as never;
  assert.equal(slice.onmemorychange, null);
  assert.equal(link.listeners.size, 0);
});

test("gpu.slices tells when adapters appear and go", async () => {
  const { world } = await adapterOn(null);
  const { slices } = world.gpu;
  assert.equal(slices, world.gpu.slices);
  let changes = 0;
  slices.onchange = () => {
    changes += 1;
  };
  for (const listener of world.source.changeListeners) listener();
  assert.equal(changes, 1);
  slices.onchange = null;
  assert.equal(world.source.changeListeners.size, 0);
});
