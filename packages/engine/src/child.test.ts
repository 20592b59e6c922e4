import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, describe, it } from "node:test";
import koffi from "koffi";
import {
  connectQueue,
  encode,
  InterfaceKind,
  isQueueConnectError,
  type KoffiModule,
  noSlice,
  openSharedMemory,
  QUEUE_HANDLE,
} from "parhelion-protocol";
import { ChildEngine } from "./child.test.support.js";
import { computeSquares, expectedSquares } from "./compute.test.support.js";
import { Usage } from "./script.test.support.js";

const sharedMemory = openSharedMemory(koffi as unknown as KoffiModule);

describe("an engine process on the software adapter", { timeout: 300_000 }, () => {
  let engine: ChildEngine;
  before(async () => {
    engine = await ChildEngine.start("software");
  });
  after(() => engine.end());

  it("describes its adapter", async () => {
    const { info, features, limits, wgslLanguageFeatures } = await engine.adapter();
    assert.equal(`${info.vendor}/${info.architecture}`, "google/swiftshader");
    assert.equal(info.isFallbackAdapter, true);
    assert.ok(features.includes("core-features-and-limits"));
    assert.ok(limits["maxBufferSize"]! >= 256 * 2 ** 20);
    assert.ok(wgslLanguageFeatures.includes("packed_4x8_integer_dot_product"));
  });

  for (const carrier of ["stream", "shared-memory"] as const) {
    it(`computes over ${carrier}`, { skip: carrier === "shared-memory" && !sharedMemory }, async () => {
      const script = await engine.open(
        carrier === "stream" ? 1 : 2,
        carrier === "stream" ? undefined : sharedMemory,
      );
      assert.equal(script.port.carrier, carrier);
      assert.deepEqual(await computeSquares(script, 1000), expectedSquares(1000));
      script.port.close();
    });

    it(`moves more than a ring holds, both ways, over ${carrier}`, async () => {
      const script = await engine.open(
        carrier === "stream" ? 3 : 4,
        carrier === "stream" ? undefined : sharedMemory,
      );
      const size = 40 * 2 ** 20;
      const data = Uint32Array.from({ length: size / 4 }, (_, index) => (index * 2654435761) >>> 0);
      const buffer = script.createBuffer(size, Usage.COPY_SRC | Usage.COPY_DST);
      const staging = script.createBuffer(size, Usage.MAP_READ | Usage.COPY_DST);
      script.write(buffer, 0, data);
      script.copy(buffer, staging, size);
      const back = await script.map(staging, 1);
      assert.ok(Buffer.from(back.buffer).equals(Buffer.from(data.buffer)));
      script.port.close();
    });
  }

  it("sends what is mapped, and takes back what was written", async () => {
    const script = await engine.open(20);
    const upload = script.createBuffer(64, Usage.MAP_WRITE | Usage.COPY_SRC);
    const readback = script.createBuffer(64, Usage.MAP_READ | Usage.COPY_DST);
    const numbers = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
    assert.deepEqual(await script.map(upload, 2, 8, 16), new Uint8Array(16));
    encode.bufferWriteMapped(script.stream, upload, 8, numbers);
    script.unmap(upload);
    assert.deepEqual(await script.map(upload, 2, 16, 8), numbers.slice(8));
    script.unmap(upload);
    script.copy(upload, readback, 64);
    assert.deepEqual(await script.map(readback, 1, 8, 16), numbers);
    script.port.close();
  });

  it("takes the contents of a buffer that is mapped at its creation", async () => {
    const script = await engine.open(21);
    const size = 10 * 2 ** 20;
    const data = Uint8Array.from({ length: size }, (_, index) => index % 251);
    const source = script.createBuffer(size, Usage.COPY_SRC, true);
    encode.bufferWriteMapped(script.stream, source, 0, data);
    script.unmap(source);
    const readback = script.createBuffer(size, Usage.MAP_READ | Usage.COPY_DST);
    script.copy(source, readback, size);
    assert.ok(Buffer.from((await script.map(readback, 1)).buffer).equals(Buffer.from(data.buffer)));
    script.port.close();
  });

  it("writes textures", async () => {
    const script = await engine.open(22, sharedMemory);
    const texture = script.id();
    encode.deviceCreateTexture(script.stream, 1, texture, { size: [64, 4], format: "rgba8unorm", usage: 3 });
    const handle = script.handle(InterfaceKind.GPUTexture, texture);
    const texels = Uint8Array.from({ length: 64 * 4 * 4 }, (_, index) => index % 253);
    const size = [64, 4];
    encode.queueWriteTexture(
      script.stream,
      QUEUE_HANDLE,
      { texture: handle },
      texels,
      { bytesPerRow: 256 },
      size,
    );
    const readback = script.createBuffer(texels.length, Usage.MAP_READ | Usage.COPY_DST);
    const [encoder, commands] = [script.id(), script.id()];
    encode.deviceCreateCommandEncoder(script.stream, 1, encoder);
    const target = { buffer: script.buffer(readback), bytesPerRow: 256 };
    encode.commandEncoderCopyTextureToBuffer(script.stream, encoder, { texture: handle }, target, size);
    encode.commandEncoderFinish(script.stream, encoder, commands);
    script.submit(commands);
    assert.deepEqual(await script.map(readback, 1), texels);
    script.port.close();
  });

  it("lets two applications work at once, with one flooding it", async () => {
    const busy = await engine.open(5, sharedMemory);
    const calm = await engine.open(6);
    const target = busy.createBuffer(4 * 2 ** 20, Usage.COPY_DST);
    const data = new Uint8Array(4 * 2 ** 20);
    for (let i = 0; i < 50; i++) busy.write(target, 0, data);
    const drained = busy.done();
    assert.deepEqual(await computeSquares(calm, 64), expectedSquares(64));
    await drained;
    busy.port.close();
    calm.port.close();
  });

  it("reads no further than the GPU can follow, and catches up", async () => {
    const script = await engine.open(23);
    // More submits than may be in flight, and none of them waited for.
    for (let i = 0; i < 5000; i++) script.submit();
    await script.done();
    const { submits } = await engine.statistics();
    assert.ok(submits >= 5000);
    script.port.close();
  });

  it("closes the queue of an application that asks and does not listen", async () => {
    const deaf = await engine.open(24);
    const calm = await engine.open(25);
    const buffer = deaf.createBuffer(8 * 2 ** 20, Usage.MAP_READ | Usage.COPY_DST);
    deaf.port.onReadable(() => undefined);
    // The contents fill the way back; the answers to the rest wait behind them.
    for (let round = 0; round < 4; round++) {
      void deaf.map(buffer, 1).catch(() => undefined);
      deaf.unmap(buffer);
    }
    void deaf.map(buffer, 1).catch(() => undefined);
    await calm.done();
    for (let i = 0; i < 70_000 && deaf.port.state === "open"; i++) {
      void deaf.done().catch(() => undefined);
      if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await deaf.closed;
    await until(() => engine.log.includes("replies-not-read"));
    assert.deepEqual(await computeSquares(calm, 64), expectedSquares(64));
    calm.port.close();
  });

  it("reports a lack of memory as such", async () => {
    const script = await engine.open(7);
    const { limits } = await engine.adapter();
    script.pushScope("out-of-memory");
    // Within the device's limits, and more than any machine that runs this has.
    encode.deviceCreateTexture(script.stream, 1, script.id(), {
      size: [limits["maxTextureDimension2D"]!, limits["maxTextureDimension2D"]!, 256],
      format: "rgba16float",
      usage: 3,
    });
    assert.equal((await script.popScope())?.kind, "out-of-memory");
    script.port.close();
  });

  it("tells the host and gives everything back when an application goes", async () => {
    const script = await engine.open(8);
    script.createBuffer(2 ** 20, Usage.COPY_DST);
    await script.done();
    const { residentBytes } = await engine.statistics();
    assert.ok(residentBytes >= 2 ** 20);
    script.port.close();
    await until(() => engine.losses.some(({ device }) => device === 8));
    const { devices, queues } = await engine.statistics();
    assert.deepEqual({ devices, queues }, { devices: 0, queues: 0 });
  });

  it("admits nobody without a token, or with a used one", async () => {
    const endpoint = { path: engine.queuePath };
    const refused = (error: unknown) => isQueueConnectError(error) && error.code === "refused";
    await assert.rejects(connectQueue({ endpoint, token: "0".repeat(32) }), refused);
    const script = await engine.open(9);
    await assert.rejects(connectQueue({ endpoint, token: (9).toString(16).padStart(32, "a") }), refused);
    await script.done();
    script.port.close();
  });

  it("counts completed submits in the queue's fence", async () => {
    const script = await engine.open(10);
    const fence = engine.ask((id) => ({ op: "waitFence", id, queue: 10, value: 3 }));
    script.submit();
    script.submit();
    script.submit();
    script.stream.flush();
    const reply = await fence;
    assert.ok(reply.op === "fence" && reply.value >= 3);
    const never = engine.ask((id) => ({ op: "waitFence", id, queue: 10, value: 1000 }));
    script.port.close();
    assert.equal((await never).op, "refused");
  });
});

describe("an engine process", { timeout: 300_000 }, () => {
  it("ends on request, and removes its socket", async () => {
    const engine = await ChildEngine.start("null");
    assert.ok(existsSync(engine.queuePath));
    engine.send({ op: "stop" });
    assert.equal((await engine.exited).code, 0);
    assert.equal(existsSync(engine.queuePath), false);
    await engine.end();
  });

  it("ends when the host is gone, and removes its socket", async () => {
    const engine = await ChildEngine.start("null");
    const script = await engine.open(1);
    engine.child.disconnect();
    assert.equal((await engine.exited).code, 0);
    await script.closed;
    assert.equal(existsSync(engine.queuePath), false);
    await engine.end();
  });

  it("takes its applications' queues along when it is killed", async () => {
    const engine = await ChildEngine.start("null");
    const [stream, shared] = [await engine.open(1), await engine.open(2, sharedMemory)];
    await Promise.all([stream.done(), shared.done()]);
    engine.child.kill("SIGKILL");
    await Promise.all([stream.closed, shared.closed]);
    assert.equal((await engine.exited).signal, "SIGKILL");
    await engine.end();
  });

  it("takes the place of one that was killed", async () => {
    const first = await ChildEngine.start("null");
    first.child.kill("SIGKILL");
    await first.exited;
    assert.ok(existsSync(first.queuePath));
    const second = await ChildEngine.spawn("null", {}, dirname(first.queuePath));
    second.send({ op: "start", queuePath: first.queuePath, dawn: [], forceFallback: false, ...noSlice });
    assert.equal((await second.begin()).op, "ready");
    await second.end();
    await first.end();
  });

  it("says why it can't start, and ends", async () => {
    const noAdapter = await ChildEngine.spawn("hardware", {
      VK_DRIVER_FILES: "/nowhere.json",
      VK_ICD_FILENAMES: "/nowhere.json",
    });
    const failed = await noAdapter.begin(["backend=vulkan"]);
    assert.ok(failed.op === "failed" && /no adapter/.test(failed.message), JSON.stringify(failed));
    assert.notEqual((await noAdapter.exited).code, 0);
    await noAdapter.end();

    const noPath = await ChildEngine.spawn("null");
    writeFileSync(noPath.queuePath, "somebody's file");
    const refused = await noPath.begin();
    assert.ok(refused.op === "failed" && /not a socket/.test(refused.message), JSON.stringify(refused));
    await noPath.end();
  });

  it("answers a host that is wrong, and goes on", async () => {
    const engine = await ChildEngine.start("null");
    const unknownQueue = await engine.ask((id) => ({
      op: "createQueue",
      id,
      device: 77,
      queue: 1,
      token: "0".repeat(32),
    }));
    assert.equal(unknownQueue.op, "refused");
    const malformed = await engine.ask((id) => ({ op: "createQueue", id, device: -1 }) as never);
    assert.equal(malformed.op, "refused");
    engine.child.send("not even an object");
    await assert.rejects(engine.createDevice(1, ["no-such-feature"]), /TypeError/);
    await engine.createDevice(1);
    await assert.rejects(engine.createDevice(1), /exists already/);
    engine.send({ op: "destroyDevice", device: 1 });
    engine.send({ op: "destroyDevice", device: 1 });
    const unwanted = engine.createDevice(2);
    engine.send({ op: "destroyDevice", device: 2 });
    // Which comes first, the device or the order to destroy it, is the machine's business; that it is gone in the end is not.
    await unwanted.catch((error: unknown) => assert.match(String(error), /destroyed before/));
    engine.send({ op: "destroyQueue", queue: 5 });
    assert.equal((await engine.statistics()).devices, 0);
    await engine.end();
  });

  it("tells the application why its device went when the host destroys it", async () => {
    const engine = await ChildEngine.start("null");
    const script = await engine.open(1);
    engine.send({ op: "destroyDevice", device: 1 });
    assert.equal((await script.lost).reason, "destroyed");
    await script.closed;
    await engine.end();
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
