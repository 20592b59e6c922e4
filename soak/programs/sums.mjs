// Running sums of a long list: every element depends on all before it, so that one lost dispatch shows everywhere.
import { bind, computePipeline, digestOf, numbers, read, storageBuffer } from "./shared.mjs";

const COUNT = 1 << 16;
const CODE = /* wgsl */ `
@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
override distance: u32 = 1;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  sums[i] = source[i] + select(0u, source[max(i, distance) - distance], i >= distance);
}`;

export const title = "running sums";

export async function round(device, seed) {
  const buffers = [
    storageBuffer(device, numbers(seed, COUNT)),
    storageBuffer(device, new Uint32Array(COUNT)),
  ];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  let from = 0;
  for (let distance = 1; distance < COUNT; distance *= 2) {
    const pipeline = computePipeline(device, CODE, { distance });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bind(device, pipeline, buffers[from], buffers[1 - from]));
    pass.dispatchWorkgroups(COUNT / 64);
    from = 1 - from;
  }
  pass.end();
  const digest = digestOf(await read(device, encoder, buffers[from], COUNT * 4));
  for (const buffer of buffers) buffer.destroy();
  return digest;
}
