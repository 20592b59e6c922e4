// Conway's game of life on storage textures, one submit a generation: a submit that is lost or doubled changes the picture.
import { computePipeline, digestOf, numbers } from "./shared.mjs";

const SIZE = 256;
const GENERATIONS = 24;
const CODE = /* wgsl */ `
@group(0) @binding(0) var now: texture_2d<u32>;
@group(0) @binding(1) var next: texture_storage_2d<r32uint, write>;
@compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3u) {
  let size = vec2i(textureDimensions(now));
  let here = vec2i(id.xy);
  var neighbours = 0u;
  for (var dy = -1; dy <= 1; dy++) {
    for (var dx = -1; dx <= 1; dx++) {
      if (dx != 0 || dy != 0) { neighbours += textureLoad(now, (here + vec2i(dx, dy) + size) % size, 0).x; }
    }
  }
  let alive = textureLoad(now, here, 0).x;
  textureStore(next, here, vec4u(u32(neighbours == 3u || (alive == 1u && neighbours == 2u)), 0, 0, 0));
}`;

export const title = "game of life";

export async function round(device, seed) {
  const world = () =>
    device.createTexture({
      size: [SIZE, SIZE],
      format: "r32uint",
      usage:
        GPUTextureUsage.TEXTURE_BINDING |
        GPUTextureUsage.STORAGE_BINDING |
        GPUTextureUsage.COPY_DST |
        GPUTextureUsage.COPY_SRC,
    });
  const worlds = [world(), world()];
  const start = numbers(seed, SIZE * SIZE).map((value) => (value >>> 16) & 1);
  device.queue.writeTexture({ texture: worlds[0] }, start, { bytesPerRow: SIZE * 4 }, [SIZE, SIZE]);
  const pipeline = computePipeline(device, CODE);
  for (let generation = 0; generation < GENERATIONS; generation++) {
    const [now, next] = generation % 2 === 0 ? worlds : [worlds[1], worlds[0]];
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = [now, next].map((texture, binding) => ({ binding, resource: texture.createView() }));
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(SIZE / 8, SIZE / 8);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }
  const digest = digestOf(await readTexture(device, worlds[0], SIZE, SIZE));
  for (const texture of worlds) texture.destroy();
  return digest;
}

/** Of a texture with four bytes a texel whose rows fill multiples of 256 bytes. */
export async function readTexture(device, texture, width, height) {
  const size = width * height * 4;
  const result = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture }, { buffer: result, bytesPerRow: width * 4 }, [width, height]);
  device.queue.submit([encoder.finish()]);
  try {
    await result.mapAsync(GPUMapMode.READ);
    return new Uint8Array(result.getMappedRange().slice(0));
  } finally {
    result.destroy();
  }
}
