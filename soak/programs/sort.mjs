// A bitonic sorting network: many small dispatches that must all happen, in order.
import { bind, computePipeline, digestOf, numbers, read, storageBuffer } from "./shared.mjs";

const COUNT = 1 << 14;
const CODE = /* wgsl */ `
struct Step { block: u32, distance: u32 }
@group(0) @binding(0) var<storage, read_write> list: array<u32>;
@group(0) @binding(1) var<uniform> step: Step;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  let other = i ^ step.distance;
  if (other <= i) { return; }
  let rising = (i & step.block) == 0u;
  let a = list[i];
  let b = list[other];
  if ((a > b) == rising) { list[i] = b; list[other] = a; }
}`;

export const title = "bitonic sort";

export async function round(device, seed) {
  const list = storageBuffer(device, numbers(seed, COUNT));
  const pipeline = computePipeline(device, CODE);
  const uniforms = [];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  for (let block = 2; block <= COUNT; block *= 2) {
    for (let distance = block / 2; distance >= 1; distance /= 2) {
      const uniform = device.createBuffer({ size: 8, usage: GPUBufferUsage.UNIFORM, mappedAtCreation: true });
      new Uint32Array(uniform.getMappedRange()).set([block, distance]);
      uniform.unmap();
      uniforms.push(uniform);
      pass.setBindGroup(0, bind(device, pipeline, list, uniform));
      pass.dispatchWorkgroups(COUNT / 64);
    }
  }
  pass.end();
  const bytes = await read(device, encoder, list, COUNT * 4);
  for (const buffer of [list, ...uniforms]) buffer.destroy();
  const sorted = new Uint32Array(bytes.buffer);
  if (!sorted.every((value, i) => i === 0 || sorted[i - 1] <= value)) throw new Error("not sorted");
  return digestOf(bytes);
}
