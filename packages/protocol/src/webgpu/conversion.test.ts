import { describe } from "node:test";
import { accepts, DEVICE, id, refuses, type Use } from "./conversion.test.fixture.js";
import * as encode from "./encode.js";

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
