import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { defaultEngineQuota, type EngineQuota, encode, InterfaceKind } from "parhelion-protocol";
import { create } from "webgpu";
import { createInProcessEngine, type InProcessEngine } from "../in-process.js";
import { Refusal } from "../refusal.js";
import { plainDevice, Script, Usage } from "../script.test.support.js";
import { bufferBytes, DEVICE_BYTES, STAGING_RING_BYTES } from "./sizes.js";

// Dawn's null backend validates and tracks everything and computes nothing.
const gpu = create(["backend=null"]);
after(() => assert.ok(gpu));

const MiB = 2 ** 20;
const slice = "3c1f8a52-7f5e-4a64-9a0c-1d2e3f405162";
const limit = { timeout: 300_000 };

const quotaOf = (memoryBytes: number, more: Partial<EngineQuota> = {}): EngineQuota => ({
  ...defaultEngineQuota,
  memoryBytes,
  limitBytes: memoryBytes,
  ...more,
});

interface World {
  readonly engine: InProcessEngine;
  readonly script: Script;
  readonly quota: (memoryBytes: number) => void;
}

/** An engine and a device of it that has `bytes` left. */
async function withRoom(bytes: number, more: Partial<EngineQuota> = {}): Promise<World> {
  const engine = createInProcessEngine({
    gpu,
    service: { slice, generation: 1, quota: quotaOf(DEVICE_BYTES + bytes, more), time: "free" },
  });
  const { port } = await engine.open(plainDevice);
  return {
    engine,
    script: new Script(port),
    quota: (memoryBytes) => engine.engine.setQuota(quotaOf(memoryBytes)),
  };
}

const world =
  (bytes: number, more: Partial<EngineQuota>, act: (world: World) => Promise<void>): (() => Promise<void>) =>
  async () => {
    const made = await withRoom(bytes, more);
    await act(made);
    await made.engine.close();
    assert.equal(made.engine.engine.memory.used, 0, "everything was given back");
  };

describe("memory that a slice does not have", limit, () => {
  it(
    "is an out-of-memory error of createBuffer in the scope for such errors, as WebGPU §5.1 says",
    world(10 * MiB, {}, async ({ script, engine }) => {
      script.pushScope("out-of-memory");
      script.pushScope("validation");
      script.createBuffer(64 * MiB, Usage.COPY_DST);
      assert.equal(await script.popScope(), null);
      const error = await script.popScope();
      assert.equal(error?.kind, "out-of-memory");
      for (const part of ["createBuffer", slice, "limit-reached", "memoryBytes", "wanted", "used", "resize"])
        assert.ok(error.message.includes(part), `${part} in: ${error.message}`);
      assert.deepEqual(script.uncaptured, []);
      assert.equal(engine.engine.memory.refused, 1);
      // The device lives on.
      script.pushScope("out-of-memory");
      script.write(script.createBuffer(64, Usage.COPY_DST), 0, new Uint8Array(4));
      assert.equal(await script.popScope(), null);
      await script.done();
    }),
  );

  it(
    "is reported where it happened, between the commands before and after",
    world(10 * MiB, {}, async ({ script }) => {
      const scopes: Promise<unknown>[] = [];
      for (const size of [64, 64 * MiB, 64, 32 * MiB]) {
        script.pushScope("out-of-memory");
        script.createBuffer(size, Usage.COPY_DST);
        scopes.push(script.popScope());
      }
      const kinds = (await Promise.all(scopes)).map((error) => (error as { kind: string } | null)?.kind);
      assert.deepEqual(kinds, [undefined, "out-of-memory", undefined, "out-of-memory"]);
    }),
  );

  it(
    "goes to the uncaptured errors when no scope wants it",
    world(10 * MiB, {}, async ({ script }) => {
      script.pushScope("validation");
      script.createBuffer(64 * MiB, Usage.COPY_DST);
      assert.equal(await script.popScope(), null);
      assert.deepEqual(
        script.uncaptured.map(({ kind }) => kind),
        ["out-of-memory"],
      );
    }),
  );

  it(
    "leaves an invalid buffer, whose initial mapping works and whose use is a validation error",
    world(10 * MiB, {}, async ({ script }) => {
      script.pushScope("out-of-memory");
      const buffer = script.createBuffer(64 * MiB, Usage.COPY_DST | Usage.COPY_SRC, true);
      assert.equal((await script.popScope())?.kind, "out-of-memory");
      script.pushScope("validation");
      encode.bufferWriteMapped(script.stream, buffer, 0, new Uint8Array(64));
      script.unmap(buffer);
      encode.bufferDestroy(script.stream, buffer);
      assert.equal(await script.popScope(), null);
      const another = script.createBuffer(64 * MiB, Usage.COPY_DST);
      script.pushScope("validation");
      script.write(another, 0, new Uint8Array(8));
      assert.equal((await script.popScope())?.kind, "validation");
      script.pushScope("validation");
      await assert.rejects(script.map(another, 1), /OperationError/);
      assert.equal((await script.popScope())?.kind, "validation");
    }),
  );

  it(
    "is the same for textures (§6.1) and query sets (§20.1), which are invalid then",
    world(MiB, {}, async ({ script }) => {
      const [texture, view, querySet] = [script.id(), script.id(), script.id()];
      script.pushScope("out-of-memory");
      encode.deviceCreateTexture(script.stream, 1, texture, {
        size: [1024, 1024],
        format: "rgba8unorm",
        usage: 4,
      });
      assert.match((await script.popScope())!.message, /^createTexture: /);
      script.pushScope("validation");
      encode.textureCreateView(script.stream, texture, view);
      assert.equal((await script.popScope())?.kind, "validation");
      script.pushScope("out-of-memory");
      encode.deviceCreateQuerySet(script.stream, 1, querySet, { type: "occlusion", count: 4096 });
      assert.match((await script.popScope())!.message, /^createQuerySet: /);
      encode.querySetDestroy(script.stream, querySet);
      encode.textureDestroy(script.stream, texture);
      await script.done();
    }),
  );

  it(
    "shows where a pipeline is made, as an internal error: no shader module fails for it (§9.1.1, §10.1)",
    world(20_000, {}, async ({ script }) => {
      const [module, pipeline] = [script.id(), script.id()];
      script.pushScope("out-of-memory");
      script.pushScope("internal");
      script.pushScope("validation");
      const code = "@compute @workgroup_size(1) fn main() {}";
      encode.deviceCreateShaderModule(script.stream, 1, module, { code });
      assert.equal(await script.popScope(), null);
      assert.equal(await script.popScope(), null);
      assert.equal(await script.popScope(), null);
      const descriptor = {
        layout: "auto",
        compute: { module: script.handle(InterfaceKind.GPUShaderModule, module) },
      };
      script.pushScope("internal");
      encode.deviceCreateComputePipeline(script.stream, 1, pipeline, descriptor);
      const error = await script.popScope();
      assert.equal(error?.kind, "internal");
      assert.match(error.message, /^createShaderModule: .*memoryBytes/);
      const later = script.id();
      await assert.rejects(
        script.ask((request) =>
          encode.deviceCreateComputePipelineAsync(script.stream, 1, later, request, descriptor),
        ),
        /^Error: internal: createShaderModule: .*memoryBytes/,
      );
    }),
  );

  it(
    "is an error of the write that can't be staged",
    world(bufferBytes(64, Usage.COPY_DST, "gpu"), {}, async ({ script }) => {
      const buffer = script.createBuffer(64, Usage.COPY_DST);
      script.pushScope("out-of-memory");
      script.write(buffer, 0, new Uint8Array(64));
      assert.match((await script.popScope())!.message, /^writeBuffer: /);
    }),
  );

  it("is an OperationError of requestDevice when not even a device fits", async () => {
    const { engine } = await withRoom(0);
    await assert.rejects(
      engine.open(plainDevice),
      (error) =>
        error instanceof Refusal && error.code === "out-of-memory" && /requestDevice/.test(error.message),
    );
    await assert.rejects(
      engine.open({ ...plainDevice, requiredLimits: { maxBufferSize: 2 ** 32 } }),
      (error) => error instanceof Refusal && error.code === "limit-exceeded",
    );
    await engine.close();
  });

  it(
    "is asked for again when the host grants less or more",
    world(100 * MiB, {}, async ({ script, quota, engine }) => {
      const refusedAt = async () => {
        script.pushScope("out-of-memory");
        const buffer = script.createBuffer(10 * MiB, Usage.COPY_DST);
        return { buffer, error: await script.popScope() };
      };
      const first = await refusedAt();
      assert.equal(first.error, null);
      quota(DEVICE_BYTES + MiB);
      assert.equal((await refusedAt()).error?.kind, "out-of-memory");
      // What is there stays usable.
      script.pushScope("validation");
      encode.bufferDestroy(script.stream, first.buffer);
      assert.equal(await script.popScope(), null);
      quota(DEVICE_BYTES + 11 * MiB);
      assert.equal((await refusedAt()).error, null);
      assert.equal(engine.engine.memory.refused, 1);
    }),
  );
});

describe("memory that a program has dropped", limit, () => {
  it(
    "comes back before a command is refused, and no command overtakes the one that waits",
    world(20 * MiB, {}, async ({ script, engine }) => {
      const scopes: Promise<unknown>[] = [];
      for (let round = 0; round < 50; round++) {
        script.pushScope("out-of-memory");
        script.pushScope("validation");
        // One fits, two do not. Without order the label would have no buffer.
        const buffer = script.createBuffer(12 * MiB, Usage.COPY_DST);
        encode.setLabel(script.stream, buffer, `buffer ${round}`);
        script.release(buffer);
        scopes.push(script.popScope(), script.popScope());
      }
      assert.deepEqual(await Promise.all(scopes), Array(100).fill(null));
      assert.equal(engine.engine.memory.refused, 0);
    }),
  );

  it(
    "stays in use as long as a view, a bind group, a bundle or an open encoder uses it",
    world(20 * MiB, {}, async ({ script, engine }) => {
      const [texture, view] = [script.id(), script.id()];
      encode.deviceCreateTexture(script.stream, 1, texture, {
        size: [1500, 2000],
        format: "rgba8unorm",
        usage: 4,
      });
      encode.textureCreateView(script.stream, texture, view);
      script.release(texture);
      script.pushScope("out-of-memory");
      script.createBuffer(12 * MiB, Usage.COPY_DST);
      assert.equal((await script.popScope())?.kind, "out-of-memory", "the view keeps the texture");
      script.release(view);
      const [buffer, encoder, commands] = [0, script.id(), script.id()].map((id) =>
        id === 0 ? script.createBuffer(12 * MiB, Usage.COPY_DST) : id,
      ) as [number, number, number];
      encode.deviceCreateCommandEncoder(script.stream, 1, encoder);
      encode.commandEncoderClearBuffer(script.stream, encoder, script.buffer(buffer));
      encode.commandEncoderFinish(script.stream, encoder, commands);
      script.release(encoder, buffer);
      script.pushScope("out-of-memory");
      script.createBuffer(12 * MiB, Usage.COPY_DST);
      assert.equal((await script.popScope())?.kind, "out-of-memory", "the command buffer keeps the buffer");
      script.submit(commands);
      script.release(commands);
      script.pushScope("out-of-memory");
      script.createBuffer(12 * MiB, Usage.COPY_DST);
      assert.equal(await script.popScope(), null);
      assert.equal(engine.engine.memory.refused, 2);
    }),
  );
});

describe("objects that a slice may not have any more", limit, () => {
  it(
    "are counted on all its devices, and refused as out-of-memory errors",
    world(100 * MiB, { objects: 50 }, async ({ script, engine }) => {
      const second = new Script((await engine.open(plainDevice)).port);
      const samplers = Array.from({ length: 40 }, () => {
        const id = second.id();
        encode.deviceCreateSampler(second.stream, 1, id);
        return id;
      });
      await second.done();
      const create = async (script: Script) => {
        script.pushScope("out-of-memory");
        encode.deviceCreateSampler(script.stream, 1, script.id());
        return (await script.popScope())?.message;
      };
      // Device and queue of each are objects as well.
      const outcomes = [];
      for (let n = 0; n < 8; n++) outcomes.push(await create(script));
      assert.deepEqual(
        outcomes.map((message) => message?.includes("objects is 50")),
        [...Array(6).fill(undefined), true, true],
      );
      second.release(...samplers);
      await second.done();
      assert.equal(await create(script), undefined);
      second.port.close();
    }),
  );
});

describe("writes in flight", limit, () => {
  it(
    "all arrive however little may be in flight, and staging fits with them",
    world(STAGING_RING_BYTES + 2 * MiB, { bytesInFlight: 64 * 1024 }, async ({ script, engine }) => {
      const buffer = script.createBuffer(MiB, Usage.COPY_DST);
      const data = new Uint8Array(48 * 1024);
      for (let n = 0; n < 100; n++) {
        script.write(buffer, 0, data);
        if (n % 7 === 0) script.submit();
      }
      await script.done();
      assert.deepEqual(script.uncaptured, []);
      assert.equal(engine.engine.memory.refused, 0);
    }),
  );
});
