import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEVICE } from "./conversion.test.fixture.js";
import * as encode from "./encode.js";
import {
  convertGPUBufferDescriptor,
  convertGPUDeviceDescriptor,
  convertGPURequestAdapterOptions,
  convertGPUTextureDescriptor,
} from "./generated/dictionary-convert.js";
import { World } from "./world.test.fixture.js";

const throwing = (error: Error): object => ({
  valueOf() {
    throw error;
  },
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
