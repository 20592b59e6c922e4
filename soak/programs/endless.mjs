// Somebody else's bug: a shader that never ends. Its device is taken away, and nothing else happens to anybody.
import { bind, computePipeline, storageBuffer } from "./shared.mjs";

const CODE = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> v: array<atomic<u32>>;
@compute @workgroup_size(64) fn main() {
  loop {
    if (atomicAdd(&v[0], 1u) == 0xffffffffu && atomicLoad(&v[1]) == 1u) { break; }
  }
}`;

export async function misbehave(device) {
  const pipeline = computePipeline(device, CODE);
  const encoder = device.createCommandEncoder({ label: "the endless one" });
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bind(device, pipeline, storageBuffer(device, new Uint32Array(16))));
  pass.dispatchWorkgroups(64);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.lost;
}
