import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as encode from "./encode.js";
import {
  convertGPUBufferDescriptor,
  convertGPUDeviceDescriptor,
  convertGPURequestAdapterOptions,
  convertGPUTextureDescriptor,
} from "./generated/dictionary-convert.js";
import { InterfaceKind } from "./generated/numbers.js";
import type { CommandStream } from "./stream.js";
import { World } from "./world.test.fixture.js";

const id = (name: keyof typeof InterfaceKind): number => 10 * InterfaceKind[name];
const DEVICE = id("GPUDevice");

type Use = (stream: CommandStream, world: World) => void;
type Failure = "TypeError" | "RangeError" | "OperationError";

/** Wrong arguments: the exception is of the class that Dawn's own binding throws, and nothing is in the ring. */
function refuses(name: string, use: Use, failure: Failure = "TypeError"): void {
  test(`${name}: ${failure}`, () => {
    const world = new World();
    const before = world.client.tx.unpublished;
    assert.throws(() => use(world.stream, world), { name: failure });
    assert.equal(world.client.tx.unpublished, before);
    assert.deepEqual(world.replay(), []);
    world.close();
  });
}

/** What WebIDL accepts. @param args what the engine's method gets, the object and new handle aside */
function accepts(name: string, use: Use, args: readonly unknown[]): void {
  test(name, () => {
    const world = new World();
    use(world.stream, world);
    const [call] = world.replay();
    assert.deepEqual(call?.args.slice(call.on === "special" ? 1 : 0), args);
    world.close();
  });
}

const throwing = (error: Error): object => ({
  valueOf() {
    throw error;
  },
});

describe("dictionaries and required members", () => {
  const buffer =
    (value: unknown): Use =>
    (stream) =>
      void encode.deviceCreateBuffer(stream, DEVICE, 1000, value);
  for (const value of [undefined, null, 5, "x", true, Symbol("s"), 5n, {}, { size: 4 }, { usage: 4 }]) {
    refuses(
      `a buffer of ${typeof value === "object" ? JSON.stringify(value) : String(value)}`,
      buffer(value),
    );
  }
  refuses(
    "a required dictionary that is null",
    (stream) =>
      void encode.deviceCreateComputePipeline(stream, DEVICE, 1000, { layout: "auto", compute: null }),
  );
  refuses(
    "an element that lacks its required members",
    (stream) => void encode.deviceCreateBindGroupLayout(stream, DEVICE, 1000, { entries: [{}] }),
  );
  accepts(
    "a function is an object too",
    (stream) => {
      const descriptor = Object.assign(() => 0, { size: 4, usage: 8 });
      encode.deviceCreateBuffer(stream, DEVICE, 1000, descriptor);
    },
    [{ size: 4, usage: 8 }],
  );
  accepts(
    "members are found on the prototype",
    (stream) => {
      encode.deviceCreateBuffer(stream, DEVICE, 1000, Object.create({ size: 4, usage: 8 }));
    },
    [{ size: 4, usage: 8 }],
  );
  accepts(
    "an optional dictionary that is null is empty",
    (stream) => {
      encode.deviceCreateSampler(stream, DEVICE, 1000, null);
    },
    [{}],
  );
});

describe("integers", () => {
  const size =
    (value: unknown): Use =>
    (stream) =>
      void encode.deviceCreateBuffer(stream, DEVICE, 1000, { size: value, usage: 4 });
  const dispatch =
    (value: unknown): Use =>
    (stream) =>
      encode.computePassEncoderDispatchWorkgroups(stream, id("GPUComputePassEncoder"), value);
  for (const value of [
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    2 ** 64,
    4n,
    Symbol("s"),
    "x",
    {},
  ]) {
    refuses(`a size of ${typeof value} ${String(value)}`, size(value));
  }
  for (const value of [-1, Number.NaN, 2 ** 32, 1n, undefined, "x", Symbol("s")]) {
    refuses(`a count of ${typeof value} ${String(value)}`, dispatch(value));
  }
  refuses("a base vertex below -2^31", (stream) =>
    encode.renderPassEncoderDrawIndexed(stream, id("GPURenderPassEncoder"), 1, 1, 0, -(2 ** 31) - 1),
  );
  refuses("a missing index", (stream) =>
    encode.computePipelineGetBindGroupLayout(stream, id("GPUComputePipeline"), 1000, undefined),
  );
  accepts("fractions are cut", size(4.7), [{ size: 4, usage: 4 }]);
  accepts("negative fractions above -1 are 0", size(-0.5), [{ size: 0, usage: 4 }]);
  accepts("strings and objects become numbers", size({ valueOf: () => "16" }), [{ size: 16, usage: 4 }]);
  accepts(
    "null and booleans become numbers",
    (stream) => encode.computePassEncoderDispatchWorkgroups(stream, id("GPUComputePassEncoder"), true, null),
    [1, 0, 1],
  );
  accepts("the largest size", size(Number.MAX_SAFE_INTEGER), [{ size: Number.MAX_SAFE_INTEGER, usage: 4 }]);
  accepts(
    "an index wraps where the specification says so",
    (stream) => encode.computePipelineGetBindGroupLayout(stream, id("GPUComputePipeline"), 1000, -1),
    [0xffffffff],
  );

  const anisotropy = new Map<unknown, number>([
    [-5, 0],
    [0.4, 0],
    [1.5, 2],
    [2.5, 2],
    [70000, 65535],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 65535],
    ["4", 4],
  ]);
  for (const [value, expected] of anisotropy) {
    accepts(
      `an anisotropy of ${String(value)} is clamped to ${expected}`,
      (stream) => void encode.deviceCreateSampler(stream, DEVICE, 1000, { maxAnisotropy: value }),
      [{ maxAnisotropy: expected }],
    );
  }
});

describe("floats", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e40, 1n, "x", Symbol("s")]) {
    refuses(
      `a sampler's clamp of ${typeof value} ${String(value)}`,
      (stream) => void encode.deviceCreateSampler(stream, DEVICE, 1000, { lodMinClamp: value }),
    );
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n]) {
    refuses(
      `a pipeline constant of ${String(value)}`,
      (stream, world) =>
        void encode.deviceCreateComputePipeline(stream, DEVICE, 1000, {
          layout: "auto",
          compute: { module: world.handled("GPUShaderModule"), constants: { k: value } },
        }),
    );
  }
  accepts(
    "are rounded to single precision",
    (stream) => void encode.deviceCreateSampler(stream, DEVICE, 1000, { lodMinClamp: 0.1 }),
    [{ lodMinClamp: Math.fround(0.1) }],
  );
});

describe("enums and strings", () => {
  const texture =
    (format: unknown): Use =>
    (stream) =>
      void encode.deviceCreateTexture(stream, DEVICE, 1000, { size: [4], format, usage: 4 });
  for (const value of [
    "bogus",
    "RGBA8UNORM",
    "",
    5,
    null,
    undefined,
    {},
    Symbol("s"),
    "__proto__",
    "constructor",
  ]) {
    refuses(`a format of ${typeof value} ${String(value)}`, texture(value));
  }
  refuses("an unknown error filter", (stream) => encode.devicePushErrorScope(stream, DEVICE, "x"));
  refuses("an unknown index format", (stream, world) =>
    encode.renderPassEncoderSetIndexBuffer(
      stream,
      id("GPURenderPassEncoder"),
      world.handled("GPUBuffer"),
      "uint8",
    ),
  );
  refuses(
    "a symbol as a label",
    (stream) => void encode.deviceCreateSampler(stream, DEVICE, 1000, { label: Symbol("s") }),
  );
  refuses(
    "a shader without code",
    (stream) => void encode.deviceCreateShaderModule(stream, DEVICE, 1000, {}),
  );
  accepts(
    "enums come from strings that objects become",
    (stream) => encode.devicePushErrorScope(stream, DEVICE, { toString: () => "internal" }),
    ["internal"],
  );
  accepts(
    "labels come from anything",
    (stream) => void encode.deviceCreateSampler(stream, DEVICE, 1000, { label: null }),
    [{ label: "null" }],
  );
});

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

describe("sizes, origins and colors", () => {
  const texture =
    (size: unknown): Use =>
    (stream) =>
      void encode.deviceCreateTexture(stream, DEVICE, 1000, { size, format: "r8unorm", usage: 4 });
  for (const value of [
    undefined,
    null,
    4,
    "44",
    {},
    [],
    [1, 2, 3, 4],
    [-1],
    ["x"],
    { width: -1 },
    { height: 4 },
  ]) {
    refuses(`a size of ${value === undefined ? "undefined" : JSON.stringify(value)}`, texture(value));
  }
  for (const value of [
    undefined,
    null,
    5,
    [],
    [0, 0, 0],
    [0, 0, 0, 1, 1],
    { r: 0, g: 0, b: 0 },
    [0, 0, 0, Number.NaN],
  ]) {
    refuses(`a color of ${value === undefined ? "undefined" : JSON.stringify(value)}`, (stream) =>
      encode.renderPassEncoderSetBlendConstant(stream, id("GPURenderPassEncoder"), value),
    );
  }
  const extent = { width: 4, height: 5, depthOrArrayLayers: 1 };
  accepts("typed arrays are sequences", texture(Uint32Array.of(4, 5)), [
    { size: extent, format: "r8unorm", usage: 4 },
  ]);
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

describe("a program's own code", () => {
  test("that throws half-way leaves nothing in the ring, and its error comes through", () => {
    const world = new World();
    const error = new Error("from a getter");
    const entries = [
      { binding: 0, visibility: 4 },
      { binding: throwing(error), visibility: 4 },
    ];
    assert.throws(() => encode.deviceCreateBindGroupLayout(world.stream, DEVICE, 1000, { entries }), error);
    assert.equal(world.client.tx.unpublished, 0);
    world.close();
  });

  test("may encode other commands from a getter", () => {
    const world = new World();
    const binding = {
      valueOf() {
        encode.deviceCreateSampler(world.stream, DEVICE, 1002);
        return 7;
      },
    };
    const descriptor = {
      get entries() {
        encode.deviceCreateSampler(world.stream, DEVICE, 1001, { label: "inner" });
        return [{ binding, visibility: 4 }];
      },
      label: "outer",
    };
    assert.equal(encode.deviceCreateBindGroupLayout(world.stream, DEVICE, 1000, descriptor), "outer");
    assert.deepEqual(
      world.replay().map((call) => call.args),
      [[{ label: "inner" }], [{}], [{ label: "outer", entries: [{ binding: 7, visibility: 4 }] }]],
    );
    world.close();
  });

  test("may change the array that is being read", () => {
    const world = new World();
    const layouts: unknown[] = [];
    const entry = {
      visibility: 4,
      get binding() {
        layouts.length = 1;
        return 3;
      },
    };
    layouts.push(entry, entry, entry);
    encode.deviceCreateBindGroupLayout(world.stream, DEVICE, 1000, { entries: layouts });
    assert.deepEqual(world.replay()[0]?.args, [{ entries: [{ binding: 3, visibility: 4 }] }]);
    world.close();
  });
});

describe("conversions that stay in the client", () => {
  test("fill defaults in and read members once, in WebIDL's order", () => {
    const order: string[] = [];
    const members: Readonly<Record<string, unknown>> = {
      usage: 8,
      size: 16,
      mappedAtCreation: 1,
      label: "b",
    };
    const descriptor = new Proxy(members, {
      get(target, name) {
        order.push(String(name));
        return target[String(name)];
      },
    });
    assert.deepEqual(convertGPUBufferDescriptor(descriptor), {
      label: "b",
      mappedAtCreation: true,
      size: 16,
      usage: 8,
    });
    assert.deepEqual(order, ["label", "mappedAtCreation", "size", "usage"]);
    assert.deepEqual(convertGPUTextureDescriptor({ size: [4, 2], format: "r8unorm", usage: 1 }), {
      label: "",
      dimension: "2d",
      format: "r8unorm",
      mipLevelCount: 1,
      sampleCount: 1,
      size: { width: 4, height: 2, depthOrArrayLayers: 1 },
      usage: 1,
      viewFormats: [],
    });
    assert.deepEqual(convertGPURequestAdapterOptions(undefined), {
      featureLevel: "core",
      forceFallbackAdapter: false,
      xrCompatible: false,
    });
    assert.throws(() => convertGPURequestAdapterOptions({ powerPreference: "x" }), TypeError);
  });

  test("drop limits that are undefined and refuse features that do not exist", () => {
    const converted = convertGPUDeviceDescriptor({ requiredLimits: { maxBindGroups: 4, other: undefined } });
    assert.deepEqual(converted.requiredLimits, { maxBindGroups: 4 });
    assert.deepEqual(converted.defaultQueue, { label: "" });
    assert.throws(() => convertGPUDeviceDescriptor({ requiredFeatures: ["zzz"] }), TypeError);
    assert.throws(() => convertGPUDeviceDescriptor({ requiredLimits: { maxBindGroups: -1 } }), TypeError);
    assert.throws(() => convertGPUDeviceDescriptor({ requiredLimits: 5 }), TypeError);
  });
});
