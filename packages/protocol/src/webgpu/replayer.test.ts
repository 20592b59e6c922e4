import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isProtocolError } from "../error.js";
import * as encode from "./encode.js";
import { InterfaceKind } from "./generated/numbers.js";
import { HANDLE, KIND, OWNER } from "./handle.js";
import { ObjectLimitError, UnavailableObjectError } from "./object-table.js";
import { World } from "./world.test.fixture.js";

const DEVICE = 10 * InterfaceKind.GPUDevice;
const TEXTURE = 1000;
const VIEW = 1001;

describe("a command that throws in the engine", () => {
  test("is reported, takes its handle, and what depends on it is skipped", () => {
    const world = new World();
    const error = new TypeError("this format needs a feature");
    const descriptor = { size: [4], format: "bc1-rgba-unorm", usage: 4 };
    world.failNext = error;
    encode.deviceCreateTexture(world.stream, DEVICE, TEXTURE, descriptor);
    encode.textureCreateView(world.stream, TEXTURE, VIEW);
    encode.setLabel(world.stream, VIEW, "view");
    encode.devicePushErrorScope(world.stream, DEVICE, "validation");
    assert.deepEqual(
      world.replay().map((call) => call.method),
      ["pushErrorScope"],
    );
    assert.deepEqual(
      world.failures.map((failure) => failure.command),
      ["deviceCreateTexture", "textureCreateView", "setLabel"],
    );
    assert.equal(world.failures[0]?.error, error);
    assert.ok(world.failures[1]?.error instanceof UnavailableObjectError);
    encode.release(world.stream, TEXTURE);
    encode.release(world.stream, VIEW);
    encode.deviceCreateTexture(world.stream, DEVICE, TEXTURE, descriptor);
    encode.textureCreateView(world.stream, TEXTURE, VIEW);
    assert.equal(world.replay().at(-1)?.method, "textureCreateView");
    world.close();
  });

  test("is one that would create more objects than the table may hold", () => {
    const world = new World();
    world.objects.capacity = world.objects.size + 1;
    encode.deviceCreateSampler(world.stream, DEVICE, 1000);
    encode.deviceCreateSampler(world.stream, DEVICE, 1001);
    encode.deviceCreateComputePipelineAsync(world.stream, DEVICE, 1002, 7, {
      layout: "auto",
      compute: { module: world.handled("GPUShaderModule") },
    });
    encode.devicePushErrorScope(world.stream, DEVICE, "validation");
    assert.deepEqual(
      world.replay().map(({ method }) => method),
      ["createSampler", "pushErrorScope"],
    );
    assert.deepEqual(
      world.failures.map(({ command, request, error }) => [
        command,
        request,
        error instanceof ObjectLimitError,
      ]),
      [
        ["deviceCreateSampler", undefined, true],
        ["deviceCreateComputePipelineAsync", 7, true],
      ],
    );
    for (const id of [1000, 1001, 1002]) encode.release(world.stream, id);
    encode.deviceCreateSampler(world.stream, DEVICE, 1001);
    assert.equal(world.replay().at(-1)?.method, "createSampler");
    world.close();
  });

  test("names the request that waits for its answer", () => {
    const world = new World();
    const descriptor = { layout: "auto", compute: { module: world.handled("GPUShaderModule") } };
    world.failNext = new Error("no");
    encode.deviceCreateComputePipelineAsync(world.stream, DEVICE, 1000, 42, descriptor);
    world.replay();
    world.failNext = new Error("no");
    encode.bufferMapAsync(world.stream, 10 * InterfaceKind.GPUBuffer, 43, 1);
    world.replay();
    world.failNext = new Error("no");
    encode.deviceCreateSampler(world.stream, DEVICE, 1001);
    world.replay();
    assert.deepEqual(
      world.failures.map(({ request }) => request),
      [42, 43, undefined],
    );
    world.close();
  });
});

describe("a command that asks to be carried out later", () => {
  test("is the next to be carried out, and nothing overtakes it", () => {
    const world = new World();
    const texture = 10 * InterfaceKind.GPUTexture;
    encode.devicePushErrorScope(world.stream, DEVICE, "validation");
    encode.textureDestroy(world.stream, texture);
    encode.devicePushErrorScope(world.stream, DEVICE, "internal");
    world.stream.flush();
    world.deferNext = 2;
    const seen = [1, 2, 3].map(() => [world.replayer.replay(10), world.replayer.deferred]);
    assert.deepEqual(seen, [
      [1, true],
      [0, true],
      [2, false],
    ]);
    assert.deepEqual(
      world.calls.map(({ method }) => method),
      ["pushErrorScope", "textureDestroy", "pushErrorScope"],
    );
    assert.deepEqual(world.failures, []);
    world.close();
  });

  test("may be one that came in fragments", () => {
    const world = new World();
    const data = new Uint8Array(2 * world.client.tx.maxRecord).fill(7);
    encode.queueWriteTexture(
      world.stream,
      10 * InterfaceKind.GPUQueue,
      { texture: world.handled("GPUTexture") },
      data,
      { bytesPerRow: data.byteLength },
      [data.byteLength / 4],
    );
    encode.devicePushErrorScope(world.stream, DEVICE, "validation");
    world.deferNext = 1;
    world.stream.flush();
    // The pieces but the last, which the command is carried out with.
    const before = world.replayer.replay(100);
    assert.ok(before > 1 && world.replayer.deferred);
    assert.deepEqual(world.calls, []);
    const [write, scope] = world.replay();
    assert.equal(write?.method, "queueWriteTexture");
    assert.deepEqual(write?.args.at(-1), data);
    assert.equal(scope?.method, "pushErrorScope");
    world.close();
  });
});

describe("the queue's own commands", () => {
  test("setLabel reaches an object of any kind", () => {
    const world = new World();
    for (const name of Object.keys(InterfaceKind)) {
      const [sample] = world.samplesOf(name);
      assert.ok(sample !== undefined);
      encode.setLabel(world.stream, sample.given[HANDLE], `a ${name}`);
      world.replay();
      assert.equal((sample.expected as { label: string }).label, `a ${name}`);
    }
    world.close();
  });

  test("release frees a handle and tells the engine which object it was", () => {
    const world = new World();
    const kind = InterfaceKind.GPUBuffer;
    const object = world.objects.get(10 * kind, kind);
    encode.release(world.stream, 10 * kind);
    const [call] = world.replay();
    assert.equal(call?.method, "release");
    assert.deepEqual(call.args.slice(0, 2), [10 * kind, kind]);
    assert.equal(call.args[2], object);
    assert.equal(world.objects.kindOf(10 * kind), 0);
    world.close();
  });

  test("release of the device, the queue or nothing breaks the protocol", () => {
    for (const [id, code] of [
      [1, "bad-id"],
      [2, "bad-id"],
      [0, "unknown-object"],
      [9999, "unknown-object"],
    ] as const) {
      const world = new World();
      encode.release(world.stream, id);
      assert.throws(
        () => world.replay(),
        (error) => isProtocolError(error, code),
      );
      world.close();
    }
  });

  test("an object of another queue is imported before the command that needs it", () => {
    const world = new World();
    const foreign = { [HANDLE]: 77, [KIND]: InterfaceKind.GPUBuffer, [OWNER]: { queue: 2 } };
    encode.queueWriteBuffer(world.stream, 10 * InterfaceKind.GPUQueue, foreign, 0, new Uint8Array(4));
    assert.deepEqual(world.imported, [foreign, foreign]);
    encode.importObject(world.stream, 2000, InterfaceKind.GPUBuffer, 2, 77);
    encode.importObject(world.stream, 2001, InterfaceKind.GPUBuffer, 2, 0);
    world.replay();
    assert.ok(world.objects.get(2000, InterfaceKind.GPUBuffer));
    assert.throws(() => world.objects.get(2001, InterfaceKind.GPUBuffer), UnavailableObjectError);
    world.close();
  });
});

test("takes at most as many records as it is told to", () => {
  const world = new World();
  for (let n = 0; n < 5; n += 1) encode.deviceCreateSampler(world.stream, DEVICE, 1000 + n);
  world.stream.flush();
  assert.deepEqual([world.replayer.replay(2), world.replayer.replay(2), world.replayer.replay(2)], [2, 2, 1]);
  world.close();
});
