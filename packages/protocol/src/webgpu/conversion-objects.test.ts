import { describe } from "node:test";
import { accepts, DEVICE, id, refuses, type Use } from "./conversion.test.fixture.js";
import * as encode from "./encode.js";
import type { World } from "./world.test.fixture.js";

describe("sequences", () => {
  const layouts =
    (entries: unknown): Use =>
    (stream) =>
      void encode.deviceCreateBindGroupLayout(stream, DEVICE, 1000, { entries });
  for (const value of [undefined, null, 5, "ab", {}, { length: 1, 0: {} }, [null], [undefined], [5]]) {
    refuses(`entries of ${value === undefined ? "undefined" : JSON.stringify(value)}`, layouts(value));
  }
  for (const value of [undefined, null, 5, {}, [null], [undefined], [{}], [5]]) {
    refuses(`command buffers of ${value === undefined ? "undefined" : JSON.stringify(value)}`, (stream) =>
      encode.queueSubmit(stream, id("GPUQueue"), value),
    );
  }
  refuses("an iterator method that is not callable", layouts({ [Symbol.iterator]: 5 }));
  refuses("offsets that are no numbers", (stream, world) =>
    encode.computePassEncoderSetBindGroup(
      stream,
      id("GPUComputePassEncoder"),
      0,
      world.handled("GPUBindGroup"),
      [-1],
    ),
  );
  refuses("offset data that is no Uint32Array", (stream, world) =>
    encode.computePassEncoderSetBindGroup(
      stream,
      id("GPUComputePassEncoder"),
      0,
      world.handled("GPUBindGroup"),
      new Float32Array(1),
      0,
      1,
    ),
  );
  refuses("offset data with a start and no length", (stream, world) =>
    encode.computePassEncoderSetBindGroup(
      stream,
      id("GPUComputePassEncoder"),
      0,
      world.handled("GPUBindGroup"),
      new Uint32Array(1),
      0,
    ),
  );
  refuses(
    "offsets outside of their data",
    (stream, world) =>
      encode.computePassEncoderSetBindGroup(
        stream,
        id("GPUComputePassEncoder"),
        0,
        world.handled("GPUBindGroup"),
        new Uint32Array(2),
        0,
        3,
      ),
    "RangeError",
  );
  accepts("sets and generators are sequences", layouts(new Set()), [{ entries: [] }]);
});

describe("interfaces and unions", () => {
  const bind =
    (resource: (world: World) => unknown): Use =>
    (stream, world) =>
      void encode.deviceCreateBindGroup(stream, DEVICE, 1000, {
        layout: world.handled("GPUBindGroupLayout"),
        entries: [{ binding: 0, resource: resource(world) }],
      });
  const wrong: Readonly<Record<string, (world: World) => unknown>> = {
    undefined: () => undefined,
    null: () => null,
    "a number": () => 5,
    "a string": () => "x",
    "an array": () => [],
    "an empty object": () => ({}),
    "a device": (world) => world.handled("GPUDevice"),
    "a binding of a texture": (world) => ({ buffer: world.handled("GPUTexture") }),
    "a binding of nothing": () => ({ buffer: null }),
  };
  for (const [name, resource] of Object.entries(wrong)) refuses(`${name} as a resource`, bind(resource));

  for (const value of [undefined, null, 5, {}]) {
    refuses(
      `a layout of ${String(value)}`,
      (stream) => void encode.deviceCreateBindGroup(stream, DEVICE, 1000, { layout: value, entries: [] }),
    );
  }
  for (const layout of [undefined, null, 5, {}, "Auto"]) {
    refuses(
      `a pipeline layout of ${String(layout)}`,
      (stream, world) =>
        void encode.deviceCreateComputePipeline(stream, DEVICE, 1000, {
          layout,
          compute: { module: world.handled("GPUShaderModule") },
        }),
    );
  }
  for (const view of [undefined, null, {}, "x"]) {
    refuses(
      `an attachment's view of ${String(view)}`,
      (stream) =>
        void encode.commandEncoderBeginRenderPass(stream, id("GPUCommandEncoder"), 1000, {
          colorAttachments: [{ view, loadOp: "clear", storeOp: "store" }],
        }),
    );
  }
  refuses("an object of another interface", (stream, world) =>
    encode.computePassEncoderSetPipeline(
      stream,
      id("GPUComputePassEncoder"),
      world.handled("GPURenderPipeline"),
    ),
  );
  refuses("a prototype without a handle", (stream) =>
    encode.computePassEncoderSetPipeline(stream, id("GPUComputePassEncoder"), Object.create(null)),
  );
  refuses("a null query set", (stream, world) =>
    encode.commandEncoderResolveQuerySet(
      stream,
      id("GPUCommandEncoder"),
      null,
      0,
      1,
      world.handled("GPUBuffer"),
      0,
    ),
  );
  refuses("a copy without a destination", (stream, world) =>
    encode.commandEncoderCopyBufferToBuffer(
      stream,
      id("GPUCommandEncoder"),
      world.handled("GPUBuffer"),
      undefined,
    ),
  );
});

describe("data", () => {
  const write =
    (data: unknown, offset?: unknown, size?: unknown): Use =>
    (stream, world) =>
      encode.queueWriteBuffer(stream, id("GPUQueue"), world.handled("GPUBuffer"), 0, data, offset, size);
  for (const data of [undefined, null, "x", [1], {}]) refuses(`data of ${String(data)}`, write(data));
  refuses("a size that is no multiple of 4", write(new Uint8Array(3)), "OperationError");
  refuses("an offset outside of the data", write(new Uint32Array(4), 5), "OperationError");
  refuses("a size outside of the data", write(new Uint32Array(4), 0, 5), "OperationError");
  refuses(
    "immediates outside of the data",
    (stream) =>
      encode.computePassEncoderSetImmediates(
        stream,
        id("GPUComputePassEncoder"),
        0,
        new Uint32Array(2),
        1,
        2,
      ),
    "OperationError",
  );
});
