import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { encode, InterfaceKind, QUEUE_HANDLE } from "parhelion-protocol";
import { create } from "webgpu";
import { bufferBytes, DEVICE_BYTES, textureMemory } from "./accounting/sizes.js";
import { createInProcessEngine, type InProcessEngine, type OpenedQueue } from "./in-process.js";
import { Refusal } from "./refusal.js";
import { plainDevice, Script, Usage } from "./script.test.support.js";

// Dawn's null backend validates and tracks everything and computes nothing.
const gpu = create(["backend=null"]);

const opened = async (
  engine: InProcessEngine,
  owner?: number,
): Promise<{ script: Script; queue: OpenedQueue }> => {
  const queue = await engine.open(plainDevice, owner);
  return { script: new Script(queue.port), queue };
};

describe("an engine in process", { timeout: 300_000 }, () => {
  let engine: InProcessEngine;
  before(() => {
    engine = createInProcessEngine({ gpu });
  });
  after(() => engine.close());

  describe("error scopes", () => {
    it("catch what happens inside them, and nothing else is reported", async () => {
      const { script } = await opened(engine);
      script.pushScope("validation");
      script.createBuffer(4, 0);
      assert.match((await script.popScope())!.message, /usages must not be 0/);
      script.pushScope("validation");
      script.createBuffer(4, Usage.COPY_DST);
      assert.equal(await script.popScope(), null);
      assert.deepEqual(script.uncaptured, []);
      await assert.rejects(script.popScope(), /No error scopes/);
      script.port.close();
    });

    it("leave the rest to the uncaptured-error event", async () => {
      const { script } = await opened(engine);
      script.createBuffer(4, 0);
      await script.done();
      assert.equal(script.uncaptured.length, 1);
      assert.equal(script.uncaptured[0]?.kind, "validation");
      script.port.close();
    });

    it("catch what Dawn's binding throws, under its own message", async () => {
      const { script } = await opened(engine);
      script.pushScope("validation");
      // The feature is not enabled, which the binding answers with a TypeError; a client would not have sent it.
      const texture = script.id();
      encode.deviceCreateTexture(script.stream, 1, texture, {
        size: [4, 4],
        format: "bc1-rgba-unorm",
        usage: 4,
      });
      const error = await script.popScope();
      assert.equal(error?.kind, "validation");
      assert.match(error.message, /^deviceCreateTexture: .*requires feature/);
      // What uses the texture is an error as well, not the end of the queue.
      script.pushScope("validation");
      encode.textureCreateView(script.stream, texture, script.id());
      assert.match((await script.popScope())!.message, /^textureCreateView: .*does not exist/);
      await script.done();
      assert.deepEqual(script.uncaptured, []);
      script.port.close();
    });
  });

  describe("mapping", () => {
    it("refuses what WebGPU refuses, and settles what is unmapped or destroyed meanwhile", async () => {
      const { script } = await opened(engine);
      const buffer = script.createBuffer(64, Usage.MAP_READ | Usage.COPY_DST);
      await assert.rejects(script.map(buffer, 2), /OperationError/);
      const aborted = script.map(buffer, 1);
      script.unmap(buffer);
      script.stream.flush();
      await assert.rejects(aborted, /AbortError/);
      const destroyed = script.map(buffer, 1);
      encode.bufferDestroy(script.stream, buffer);
      script.stream.flush();
      await assert.rejects(destroyed, /AbortError/);
      // Written after all: nobody will see it, and nothing breaks.
      encode.bufferWriteMapped(script.stream, buffer, 0, new Uint8Array(8));
      await script.done();
      script.port.close();
    });

    it("answers for an empty range", async () => {
      const { script } = await opened(engine);
      const buffer = script.createBuffer(64, Usage.MAP_READ | Usage.COPY_DST);
      assert.equal((await script.map(buffer, 1, 64)).byteLength, 0);
      script.port.close();
    });

    it("survives an initial mapping that no memory is left for", async () => {
      const { script } = await opened(engine);
      script.pushScope("validation");
      const buffer = script.createBuffer(2 ** 50, Usage.COPY_SRC, true);
      assert.match((await script.popScope())!.message, /max buffer size/);
      encode.bufferWriteMapped(script.stream, buffer, 0, new Uint8Array(8));
      script.unmap(buffer);
      await script.done();
      script.port.close();
    });

    it("ends the queue of whoever writes outside of the mapping", async () => {
      const { script } = await opened(engine);
      const buffer = script.createBuffer(64, Usage.COPY_SRC, true);
      encode.bufferWriteMapped(script.stream, buffer, 60, new Uint8Array(8));
      script.stream.flush();
      assert.match(causes(await script.closed), /outside-of-mapping/);
    });
  });

  it("reports one error for a long write, however many records it takes", async () => {
    const { script } = await opened(engine);
    const data = new Uint8Array(10 * 2 ** 20);
    const wrongUsage = script.createBuffer(16 * 2 ** 20, Usage.COPY_SRC);
    const tooSmall = script.createBuffer(6 * 2 ** 20, Usage.COPY_DST);
    script.write(wrongUsage, 0, data);
    script.write(tooSmall, 0, data);
    await script.done();
    // An error too many would come with the answer to this.
    await script.done();
    assert.equal(script.uncaptured.length, 2, JSON.stringify(script.uncaptured));
    assert.match(script.uncaptured[1]!.message, /does not fit/);
    script.port.close();
  });

  it("creates pipelines asynchronously, and says why not", async () => {
    const { script } = await opened(engine);
    const [good, bad, pipeline] = [script.id(), script.id(), script.id()];
    encode.deviceCreateShaderModule(script.stream, 1, good, {
      code: "@compute @workgroup_size(1) fn main() {}",
    });
    encode.deviceCreateShaderModule(script.stream, 1, bad, { code: "fn main( {}" });
    const make = (id: number, module: number) =>
      script.ask((request) =>
        encode.deviceCreateComputePipelineAsync(script.stream, 1, id, request, {
          layout: "auto",
          compute: { module: script.handle(InterfaceKind.GPUShaderModule, module) },
        }),
      );
    await make(pipeline, good);
    encode.computePipelineGetBindGroupLayout(script.stream, pipeline, script.id(), 0);
    await assert.rejects(make(script.id(), bad), /^Error: validation: /);
    const messages = await script.ask<{ type: string; lineNum: number }[]>((request) =>
      encode.shaderModuleGetCompilationInfo(script.stream, bad, request),
    );
    assert.equal(messages[0]?.type, "error");
    assert.equal(messages[0]?.lineNum, 1);
    script.port.close();
  });

  it("lets Dawn judge an object of another device", async () => {
    const [first, second] = [await opened(engine), await opened(engine)];
    const foreign = first.script.createBuffer(64, Usage.COPY_DST);
    await first.script.done();
    const { script } = second;
    const local = script.id();
    encode.importObject(script.stream, local, InterfaceKind.GPUBuffer, first.queue.serial, foreign);
    script.pushScope("validation");
    script.write(local, 0, new Uint8Array(4));
    assert.match((await script.popScope())!.message, /associated with/);
    const nothing = script.id();
    encode.importObject(script.stream, nothing, InterfaceKind.GPUBuffer, 123_456, 3);
    script.pushScope("validation");
    script.write(nothing, 0, new Uint8Array(4));
    assert.match((await script.popScope())!.message, /an object of another device/);
    for (const { script: each } of [first, second]) each.port.close();
  });

  it("keeps the objects of one process out of another's reach", async () => {
    const [first, second] = [await opened(engine, 1), await opened(engine, 2)];
    const foreign = first.script.createBuffer(64, Usage.COPY_DST);
    await first.script.done();
    const { script } = second;
    const local = script.id();
    encode.importObject(script.stream, local, InterfaceKind.GPUBuffer, first.queue.serial, foreign);
    script.pushScope("validation");
    script.write(local, 0, new Uint8Array(4));
    assert.match((await script.popScope())!.message, /an object of another device/);
    for (const { script: each } of [first, second]) each.port.close();
  });

  it("says how a device was lost, on its queue and beside it", async () => {
    const { script, queue } = await opened(engine);
    const beside = new Promise<string>((resolve) => queue.onLost(resolve));
    const pending = script.map(script.createBuffer(64, Usage.MAP_READ), 1);
    encode.deviceDestroy(script.stream, 1);
    script.stream.flush();
    await assert.rejects(pending, /AbortError/);
    assert.equal((await script.lost).reason, "destroyed");
    assert.match(await beside, /destroyed/);
    // The queue lives on: what an application does with a lost device is no error.
    script.createBuffer(64, Usage.COPY_DST);
    await script.done();
    script.port.close();
  });

  it("ends the queue that breaks the protocol while the others go on", async () => {
    const log: string[] = [];
    const own = createInProcessEngine({ gpu, log: (line) => log.push(line) });
    const [good, bad] = [await opened(own), await opened(own)];
    encode.bufferDestroy(bad.script.stream, 4711);
    bad.script.stream.flush();
    assert.match(causes(await bad.script.closed), /unknown-object/);
    await good.script.done();
    const { tx } = good.script.port;
    const at = tx.begin(16);
    tx.u32.set([16, 0xfffe, 0, 0], at);
    good.script.stream.flush();
    assert.match(causes(await good.script.closed), /not-supported/);
    assert.equal(log.length, 2);
    await own.close();
    assert.deepEqual(own.engine.statistics().devices, 0);
  });

  it("accounts for memory, objects and submits", async () => {
    const own = createInProcessEngine({ gpu });
    const { script, queue } = await opened(own);
    const buffer = script.createBuffer(1 << 20, Usage.COPY_DST);
    encode.deviceCreateTexture(script.stream, 1, script.id(), {
      size: [64, 64],
      format: "rgba8unorm",
      usage: 4,
    });
    script.submit();
    await script.done();
    const { objects, submits, residentBytes, bytesReceived } = own.engine.statistics();
    const textureBytes = textureMemory(64 * 64 * 4, "gpu");
    assert.deepEqual(
      { objects, submits, residentBytes },
      {
        objects: 4,
        submits: 1,
        residentBytes: DEVICE_BYTES + bufferBytes(2 ** 20, Usage.COPY_DST, "gpu") + textureBytes,
      },
    );
    assert.ok(bytesReceived > 0);
    encode.bufferDestroy(script.stream, buffer);
    script.release(buffer);
    // Free when the GPU has done what was recorded before.
    script.submit();
    await script.done();
    assert.equal(own.engine.statistics().residentBytes, DEVICE_BYTES + textureBytes);
    queue.release();
    await script.closed;
    const after = own.engine.statistics();
    assert.deepEqual([after.devices, after.objects, after.residentBytes, after.submits], [0, 0, 0, 2]);
    await own.close();
  });

  it("holds a hundred devices, and refuses more than its limit", async () => {
    const own = createInProcessEngine({ gpu, limits: { devices: 100 } });
    const all = await Promise.all(Array.from({ length: 100 }, () => opened(own)));
    await Promise.all(all.map(({ script }) => script.done()));
    await assert.rejects(
      own.open(plainDevice),
      (error) => error instanceof Refusal && error.code === "too-many-devices",
    );
    all[7]!.queue.release();
    await all[7]!.script.closed;
    await (await opened(own)).script.done();
    await own.close();
    await Promise.all(all.map(({ script }) => script.closed));
    assert.equal(own.engine.statistics().devices, 0);
  });

  it("bounds what one queue has under way", async () => {
    const own = createInProcessEngine({ gpu, limits: { mapsInFlight: 10 } });
    const { script } = await opened(own);
    const buffers = Array.from({ length: 11 }, () => script.createBuffer(64, Usage.MAP_READ));
    const maps = await Promise.allSettled(buffers.map((buffer) => script.map(buffer, 1)));
    assert.ok(maps.some(({ status }) => status === "rejected"));
    assert.match(causes(await script.closed), /too-many-maps/);
    await own.close();
  });

  it("refuses features and limits with the exception that WebGPU names", async () => {
    const refusal = (exception: string) => (error: unknown) =>
      error instanceof Refusal && error.exception === exception;
    await assert.rejects(
      engine.open({ ...plainDevice, requiredFeatures: ["warp-drive"] }),
      refusal("TypeError"),
    );
    const tooMuch = { maxBindGroups: 1000 };
    await assert.rejects(engine.open({ ...plainDevice, requiredLimits: tooMuch }), refusal("OperationError"));
  });

  it("does not stop for a label", async () => {
    const { script } = await opened(engine);
    const buffer = script.createBuffer(4, Usage.COPY_DST);
    encode.setLabel(script.stream, buffer, "the label");
    encode.setLabel(script.stream, QUEUE_HANDLE, "the queue");
    script.write(buffer, 4, new Uint8Array(4));
    await script.done();
    assert.match(script.uncaptured[0]!.message, /the label/);
    script.port.close();
  });
});

/** The messages of an error and of everything that caused it. */
function causes(error: unknown): string {
  return error instanceof Error ? `${error.message}; ${causes(error.cause)}` : "";
}
