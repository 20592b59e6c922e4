// A picture made smaller step by step into its own mip levels, then read through a sampler: views, levels and filtering.

import { readTexture } from "./life.mjs";
import { bind, computePipeline, digestOf, numbers } from "./shared.mjs";

const SIZE = 256;
const LEVELS = 4;
const SHRINK = /* wgsl */ `
@group(0) @binding(0) var source: texture_2d<f32>;
@group(0) @binding(1) var small: texture_storage_2d<rgba8unorm, write>;
@compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = vec2i(id.xy) * 2;
  let sum = textureLoad(source, at, 0) + textureLoad(source, at + vec2i(1, 0), 0)
    + textureLoad(source, at + vec2i(0, 1), 0) + textureLoad(source, at + vec2i(1, 1), 0);
  textureStore(small, vec2i(id.xy), sum * 0.25);
}`;
const SAMPLE = /* wgsl */ `
@group(0) @binding(0) var source: texture_2d<f32>;
@group(0) @binding(1) var small: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(2) var filtering: sampler;
@compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = (vec2f(id.xy) + 0.5) / ${SIZE}.0;
  textureStore(small, vec2i(id.xy), textureSampleLevel(source, filtering, at, f32(id.x % ${LEVELS}u)));
}`;

export const title = "mip levels";

export async function round(device, seed) {
  const { TEXTURE_BINDING, STORAGE_BINDING, COPY_DST, COPY_SRC } = GPUTextureUsage;
  const picture = device.createTexture({
    size: [SIZE, SIZE],
    format: "rgba8unorm",
    mipLevelCount: LEVELS,
    usage: TEXTURE_BINDING | STORAGE_BINDING | COPY_DST,
  });
  const result = device.createTexture({
    size: [SIZE, SIZE],
    format: "rgba8unorm",
    usage: STORAGE_BINDING | COPY_SRC,
  });
  const texels = numbers(seed, SIZE * SIZE);
  device.queue.writeTexture({ texture: picture }, texels, { bytesPerRow: SIZE * 4 }, [SIZE, SIZE]);
  const level = (baseMipLevel) => picture.createView({ baseMipLevel, mipLevelCount: 1 });
  const encoder = device.createCommandEncoder();
  const shrink = computePipeline(device, SHRINK);
  for (let to = 1; to < LEVELS; to++) {
    const pass = encoder.beginComputePass();
    pass.setPipeline(shrink);
    pass.setBindGroup(0, bind(device, shrink, level(to - 1), level(to)));
    pass.dispatchWorkgroups((SIZE >> to) / 8, (SIZE >> to) / 8);
    pass.end();
  }
  const sample = computePipeline(device, SAMPLE);
  const sampler = device.createSampler({ magFilter: "linear", minFilter: "linear", addressModeU: "repeat" });
  const pass = encoder.beginComputePass();
  pass.setPipeline(sample);
  pass.setBindGroup(0, bind(device, sample, picture.createView(), result.createView(), sampler));
  pass.dispatchWorkgroups(SIZE / 8, SIZE / 8);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const digest = digestOf(await readTexture(device, result, SIZE, SIZE));
  for (const texture of [picture, result]) texture.destroy();
  return digest;
}
