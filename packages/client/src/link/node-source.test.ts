/// <reference types="@webgpu/types" />
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import koffi from "koffi";
import {
  ControlError,
  connectQueue,
  type KoffiModule,
  openSharedMemory,
  platformClock,
  type SharedMemoryProvider,
  StatusErrno,
} from "parhelion-protocol";
import { create } from "webgpu";
import { createGPU } from "../gpu.js";
import { processRuntime } from "../runtime.js";
import { DawnSource } from "../testing/dawn-source.test.fixture.js";
import { Guest } from "../testing/guest.test.fixture.js";
import { eventually } from "../testing/world.test.fixture.js";
import { NodeSource } from "./node-source.js";

const dawn = create(["backend=null"]);
after(() => assert.ok(dawn));

interface Scene {
  readonly guest: Guest;
  readonly source: NodeSource;
  readonly gpu: GPU;
}

const openScenes: Scene[] = [];
afterEach(async () => {
  for (const { guest, source } of openScenes.splice(0)) {
    await source.close();
    await guest.stop();
  }
});

async function scene(sharedMemory?: SharedMemoryProvider): Promise<Scene> {
  const link = await new DawnSource(dawn).openAdapter(() => true);
  assert.ok(link !== null);
  const guest = new Guest(dawn, link.description, sharedMemory);
  await guest.start();
  const source = new NodeSource({
    directory: () => guest.directory,
    clock: platformClock,
    connectQueue: (path, token, owner) => connectQueue({ endpoint: { path }, token, owner, sharedMemory }),
  });
  const opened = { guest, source, gpu: createGPU(source, processRuntime) as unknown as GPU };
  openScenes.push(opened);
  return opened;
}

async function device({ gpu }: Scene): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter();
  assert.ok(adapter !== null);
  return adapter.requestDevice();
}

for (const [carrier, sharedMemory] of [
  ["a stream", undefined],
  ["shared memory", openSharedMemory(koffi as unknown as KoffiModule)],
] as const) {
  test(`a device over nodes and ${carrier} maps what it wrote`, async () => {
    const here = await scene(sharedMemory);
    assert.ok(here.gpu.wgslLanguageFeatures.size > 0);
    const own = await device(here);
    const buffer = own.createBuffer({ size: 1 << 20, usage: 1 | 8 });
    const data = Uint8Array.from({ length: 1 << 20 }, (_, index) => index % 253);
    own.queue.writeBuffer(buffer, 0, data);
    await buffer.mapAsync(1);
    assert.ok(Buffer.from(data).equals(new Uint8Array(buffer.getMappedRange())));
    assert.equal(here.guest.ports[0]?.carrier, sharedMemory === undefined ? "stream" : "shared-memory");
    own.destroy();
    await eventually("the device's end", () => here.guest.requests.includes("destroyDevice"));
    assert.equal(here.source.whyNone(), undefined);
  });
}

test("a node is opened once, however many adapters are asked for", async () => {
  const here = await scene();
  const adapters = await Promise.all([1, 2, 3].map(() => here.gpu.requestAdapter()));
  assert.ok(adapters.every((adapter) => adapter !== null));
  assert.equal(here.guest.requests.filter((name) => name === "hello").length, 2);
});

test("a vGPU that is unplugged is a lost device with the driver's reason, and a fresh one can be asked for", async () => {
  const here = await scene();
  const own = await device(here);
  const waiting = own.queue.onSubmittedWorkDone();
  here.guest.unplug("The slice was unbound by its host.");
  const info = await own.lost;
  assert.equal(info.message, "The slice was unbound by its host.");
  await waiting;
  const again = await device(here);
  await again.queue.onSubmittedWorkDone();
  again.destroy();
});

test("a device that the node calls lost is lost, and the others of the node are not", async () => {
  const here = await scene();
  const own = await device(here);
  here.guest.loseDevice("The engine died: signal SIGKILL.");
  assert.equal((await own.lost).message, "The engine died: signal SIGKILL.");
});

test("when the queue breaks and the node knows why, its word counts", async () => {
  const here = await scene();
  const own = await device(here);
  here.guest.ports[0]?.close();
  setImmediate(() => here.guest.loseDevice("The engine died: out of memory."));
  assert.equal((await own.lost).message, "The engine died: out of memory.");
});

test("a refusal of the engine is the exception that it names, any other an OperationError", async () => {
  const here = await scene();
  const adapter = await here.gpu.requestAdapter();
  assert.ok(adapter !== null);
  const privateData = Buffer.from(JSON.stringify({ name: "TypeError", message: "no such feature" }));
  here.guest.refusal = new ControlError(StatusErrno.EINVAL, "refused", { privateData });
  await assert.rejects(
    adapter.requestDevice(),
    (error) => error instanceof TypeError && /no such feature/.test(error.message),
  );
  here.guest.refusal = new ControlError(StatusErrno.EDQUOT, "4 of 4 devices are open; destroy one");
  await assert.rejects(adapter.requestDevice(), { name: "OperationError", message: /4 of 4 devices/ });
  here.guest.refusal = undefined;
  (await adapter.requestDevice()).destroy();
});

test("an adapter whose node is gone gives a device that is lost", async () => {
  const here = await scene();
  const adapter = await here.gpu.requestAdapter();
  assert.ok(adapter !== null);
  here.guest.unplug("gone");
  const own = await adapter.requestDevice();
  assert.equal((await own.lost).reason, "unknown");
});

test("an adapter that can't be the fallback one is closed again", async () => {
  const here = await scene();
  const adapter = await here.gpu.requestAdapter({ forceFallbackAdapter: true });
  if (adapter !== null) return;
  assert.match(here.source.whyNone() ?? "", /what the options ask for/);
  await eventually("the adapter's end", () => here.guest.requests.includes("closeAdapter"));
});

test("an adapter tells of its slice, and of every change of the slice's memory", async () => {
  const { guest, source } = await scene();
  const slice = (await source.openAdapter(() => true))?.slice;
  assert.ok(slice);
  assert.deepEqual([slice.uuid, slice.type], ["00000000-0000-0000-0000-000000000001", "half"]);
  assert.deepEqual(slice.memory, { limit: 1000, used: 100, reserved: 500 });
  const heard: unknown[] = [];
  const end = slice.onMemoryChanged((memory) => heard.push(memory));
  guest.changeMemory(800, 700, 500);
  await eventually("the news", () => heard.length === 1);
  assert.deepEqual(heard, [{ limit: 800, used: 700, reserved: 500 }]);
  assert.deepEqual(slice.memory, heard[0]);
  end();
  guest.changeMemory(900, 0, 500);
  await eventually("the change", () => slice.memory.limit === 900);
  assert.equal(heard.length, 1);
});

test("an adapter of a host that tells nothing of slices has none", async () => {
  const { guest, source } = await scene();
  guest.slices = "does not know";
  assert.equal((await source.openAdapter(() => true))?.slice, null);
});

test("who waits for a GPU hears when a vGPU appears or goes, and when the guest kernel goes", async () => {
  const { guest, source } = await scene();
  let heard = 0;
  const end = source.onAdaptersChanged(() => {
    heard += 1;
  });
  await eventually("the control node is open", () => guest.requests.includes("hello"));
  guest.changeAdapters();
  await eventually("the news", () => heard === 1);
  guest.unplug("the guest kernel stopped");
  await eventually("the end", () => heard === 2);
  end();
});

test("a device that is lost before its number is known is lost, not broken", async () => {
  const opened = await scene();
  opened.guest.made = () => opened.guest.loseDevice("the engine died");
  const { reason, message } = await (await device(opened)).lost;
  assert.deepEqual([reason, message], ["unknown", "the engine died"]);
});

test("a loss that is told while a device's queue is opened makes a lost device of it", async () => {
  const opened = await scene();
  const { guest } = opened;
  guest.queue = () => {
    guest.loseDevice("the engine died");
    throw new ControlError(StatusErrno.EIO, "no engine any more");
  };
  const { reason, message } = await (await device(opened)).lost;
  assert.deepEqual([reason, message], ["unknown", "the engine died"]);
});
