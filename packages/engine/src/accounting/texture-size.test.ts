import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { textureBytes } from "./texture-size.js";

const base = {
  width: 1,
  height: 1,
  depthOrArrayLayers: 1,
  mipLevelCount: 1,
  sampleCount: 1,
  dimension: "2d",
  format: "rgba8unorm",
};

describe("textureBytes", () => {
  it("counts texels by their format", () => {
    const expected: Record<string, number> = {
      r8unorm: 1,
      rg8snorm: 2,
      "rgba8unorm-srgb": 4,
      "bgra8unorm-srgb": 4,
      r16float: 2,
      rgba16uint: 8,
      rg32float: 8,
      rgba32float: 16,
      rgb10a2unorm: 4,
      stencil8: 1,
      "depth32float-stencil8": 8,
      "not-yet-invented": 16,
    };
    for (const [format, bytes] of Object.entries(expected))
      assert.equal(textureBytes({ ...base, format }), bytes, format);
  });

  it("counts compressed formats by whole blocks", () => {
    const size = { ...base, width: 5, height: 4 };
    assert.equal(textureBytes({ ...size, format: "bc1-rgba-unorm" }), 2 * 8);
    assert.equal(textureBytes({ ...size, format: "bc3-rgba-unorm" }), 2 * 16);
    assert.equal(textureBytes({ ...size, format: "etc2-rgb8a1unorm" }), 2 * 8);
    assert.equal(textureBytes({ ...size, format: "eac-rg11unorm" }), 2 * 16);
    assert.equal(textureBytes({ ...size, format: "astc-5x4-unorm" }), 16);
  });

  it("adds levels, layers and samples, and shrinks the depth of a volume only", () => {
    const chain = { ...base, width: 4, height: 4, mipLevelCount: 3 };
    assert.equal(textureBytes(chain), (16 + 4 + 1) * 4);
    assert.equal(textureBytes({ ...chain, depthOrArrayLayers: 4 }), (16 + 4 + 1) * 4 * 4);
    assert.equal(textureBytes({ ...chain, depthOrArrayLayers: 4, dimension: "3d" }), (64 + 8 + 1) * 4);
    assert.equal(textureBytes({ ...base, width: 8, sampleCount: 4 }), 8 * 4 * 4);
  });
});
