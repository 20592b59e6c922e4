/// <reference types="@webgpu/types" />
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { create } from "webgpu";
import { World } from "./testing/world.test.fixture.js";

const dawn = create(["backend=null"]);
after(() => assert.ok(dawn));
// Small rings: what is larger than a record has to be cut up.
const world = new World(dawn, { toEngine: 64 * 1024, toClient: 64 * 1024 });

const COPY_SRC = 4;
const COPY_DST = 8;
const READ = 1;
const WRITE = 2;

function pattern(bytes: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: bytes }, (_, index) => (index * 7) % 251);
}

// Dawn's null backend keeps the contents of mappable buffers, and copies nothing between buffers.
async function readBack(buffer: GPUBuffer): Promise<Uint8Array> {
  await buffer.mapAsync(READ);
  const bytes = new Uint8Array(buffer.getMappedRange().slice(0));
  buffer.unmap();
  return bytes;
}

test("what is written at creation is in the buffer, and its ArrayBuffer is detached", async () => {
  const { device } = await world.open();
  const buffer = device.createBuffer({ size: 100_000, usage: READ | COPY_DST, mappedAtCreation: true });
  assert.equal(buffer.mapState, "mapped");
  const range = buffer.getMappedRange();
  new Uint8Array(range).set(pattern(100_000));
  buffer.unmap();
  assert.equal(buffer.mapState, "unmapped");
  assert.equal(range.byteLength, 0);
  assert.ok(Buffer.from(pattern(100_000)).equals(await readBack(buffer)));
  device.destroy();
});

test("a part that was asked for at creation is written where it belongs", async () => {
  const { device } = await world.open();
  const buffer = device.createBuffer({ size: 32, usage: READ | COPY_DST, mappedAtCreation: true });
  new Uint8Array(buffer.getMappedRange(16, 8)).fill(9);
  buffer.unmap();
  assert.deepEqual((await readBack(buffer)).subarray(16, 24), new Uint8Array(8).fill(9));
  device.destroy();
});

test("mapping for writing shows what is there, and sends back what was written", async () => {
  const { device } = await world.open();
  const buffer = device.createBuffer({ size: 64, usage: COPY_SRC | WRITE, mappedAtCreation: true });
  new Uint8Array(buffer.getMappedRange()).fill(3);
  buffer.unmap();
  const mapping = buffer.mapAsync(WRITE, 16, 32);
  assert.equal(buffer.mapState, "pending");
  await mapping;
  const bytes = new Uint8Array(buffer.getMappedRange(16, 16));
  assert.deepEqual(bytes, new Uint8Array(16).fill(3));
  bytes.fill(4);
  buffer.unmap();
  await buffer.mapAsync(WRITE);
  assert.deepEqual(new Uint8Array(buffer.getMappedRange()), new Uint8Array(64).fill(3).fill(4, 16, 32));
  device.destroy();
});

test("data larger than the ring goes through writeBuffer and comes back through mapAsync", async () => {
  const { device } = await world.open();
  const data = pattern(300_000);
  const buffer = device.createBuffer({ size: 300_004, usage: READ | COPY_DST });
  device.queue.writeBuffer(buffer, 4, data);
  const back = await readBack(buffer);
  assert.ok(Buffer.from(data).equals(back.subarray(4)));
  device.destroy();
});

test("writeBuffer takes the elements that it is told of, from shared memory as well", async () => {
  const { device } = await world.open();
  const buffer = device.createBuffer({ size: 16, usage: READ | COPY_DST });
  const shared = new Uint16Array(new SharedArrayBuffer(16));
  shared.set([1, 2, 3, 4, 5, 6, 7, 8]);
  device.queue.writeBuffer(buffer, 0, new Uint8Array(16));
  device.queue.writeBuffer(buffer, 4, shared as unknown as Uint16Array<ArrayBuffer>, 2, 4);
  const back = new Uint16Array((await readBack(buffer)).buffer as ArrayBuffer);
  assert.deepEqual([...back], [0, 0, 3, 4, 5, 6, 0, 0]);
  device.destroy();
});

test("the data of writeBuffer is taken at the call", async () => {
  const { device } = await world.open();
  const buffer = device.createBuffer({ size: 4, usage: READ | COPY_DST });
  const data = Uint8Array.of(1, 2, 3, 4);
  device.queue.writeBuffer(buffer, 0, data);
  data.fill(0);
  assert.deepEqual(await readBack(buffer), Uint8Array.of(1, 2, 3, 4));
  device.destroy();
});

test("an unmapped buffer can be mapped again, and a cancelled mapping leaves no trace", async () => {
  const { device } = await world.open();
  const buffer = device.createBuffer({ size: 64, usage: COPY_DST | READ });
  const cancelled = buffer.mapAsync(READ);
  buffer.unmap();
  const again = buffer.mapAsync(READ);
  await assert.rejects(cancelled, { name: "AbortError" });
  await again;
  assert.equal(buffer.mapState, "mapped");
  assert.equal(buffer.getMappedRange().byteLength, 64);
  buffer.unmap();
  device.destroy();
});

test("destroying the device detaches mapped ranges and aborts pending mappings", async () => {
  const { device } = await world.open();
  const mapped = device.createBuffer({ size: 64, usage: COPY_DST, mappedAtCreation: true });
  const pending = device.createBuffer({ size: 64, usage: COPY_DST | READ });
  const range = mapped.getMappedRange();
  const mapping = pending.mapAsync(READ);
  device.destroy();
  assert.equal(range.byteLength, 0);
  assert.equal(mapped.mapState, "unmapped");
  await assert.rejects(mapping, { name: "AbortError" });
});
