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
    connectQueue: (path, token) => connectQueue({ endpoint: { path }, token, sharedMemory }),
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
