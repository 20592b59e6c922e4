/// <reference types="@webgpu/types" />
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { create } from "webgpu";
import { createGPU } from "./gpu.js";
import { processRuntime } from "./runtime.js";
import { DawnSource } from "./testing/dawn-source.test.fixture.js";
import type { Scene, WrongCall } from "./testing/wrong-call.test.fixture.js";
import { againstWebIDLInDawn, fatalInDawn, wrongCalls } from "./testing/wrong-calls.test.fixture.js";

// Dropping what `create` returns ends the process: it is held until the tests are over.
const dawn = create(["backend=null"]);
const source = new DawnSource(dawn);
const client = createGPU(source, processRuntime) as unknown as GPU;
after(() => assert.ok(dawn));

async function sceneOn(gpu: GPU): Promise<Scene> {
  const adapter = await gpu.requestAdapter();
  const own = await gpu.requestAdapter();
  assert.ok(adapter !== null && own !== null);
  const device = await own.requestDevice();
  return {
    adapter,
    device,
    copyDst: device.createBuffer({ size: 64, usage: 8 }),
    readable: device.createBuffer({ size: 64, usage: 1 | 8 }),
    texture: device.createTexture({ size: [4, 4], format: "rgba8unorm", usage: 1 | 2 | 4 | 16 }),
    encoder: device.createCommandEncoder(),
  };
}

/** The class of what was thrown, and of the error that the device raised. */
async function outcome(gpu: GPU, { call }: WrongCall): Promise<string> {
  const scene = await sceneOn(gpu);
  const { device } = scene;
  device.pushErrorScope("validation");
  let thrown = "nothing";
  try {
    await call(scene);
  } catch (error) {
    thrown = error instanceof Error ? error.name : String(error);
  }
  const raised = await device.popErrorScope().catch((error: Error) => error);
  device.destroy();
  return `throws ${thrown}, raises ${raised === null ? "nothing" : raised.constructor.name}`;
}

for (const wrongCall of wrongCalls) {
  const specified = fatalInDawn.get(wrongCall.name) ?? againstWebIDLInDawn.get(wrongCall.name);
  test(`${wrongCall.name} fails as ${specified === undefined ? "in Dawn" : "WebIDL says"}`, async () => {
    const expected =
      specified === undefined ? await outcome(dawn, wrongCall) : `throws ${specified}, raises nothing`;
    assert.equal(await outcome(client, wrongCall), expected);
  });
}
