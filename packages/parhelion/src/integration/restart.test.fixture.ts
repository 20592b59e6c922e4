/** Programs for a host that ends and comes back under running guests. */

/** A host in a process of its own, on `$STATE`, that ends in order at SIGTERM; makes a guest if `$MAKE` says so. */
export const returningHost = `
import { createEngineLauncher } from "parhelion-engine";
import { startHost } from "parhelion-host";
const host = await startHost({ launcher: createEngineLauncher(), stateDirectory: process.env.STATE, adapter: "software" });
process.once("SIGTERM", () => host.stop());
if (process.env.MAKE !== undefined) console.log("guest " + JSON.stringify(await host.guestCreate()));
console.log("slices " + JSON.stringify((await host.status()).slices.map(({ uuid, generation }) => ({ uuid, generation }))));
`;

/**
 * Computes, says what came out as \`result <digest of all bytes>\`, waits until the device is lost, asks again until there is an adapter, and
 * computes the same again: \`$ROUNDS\` times in all.
 */
export const steadfast = `
import { createHash } from "node:crypto";
const code = \`
  @group(0) @binding(0) var<storage, read_write> v: array<f32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) i: vec3u) {
    var x = f32(i.x) * 0.001 + 0.5;
    for (var n = 0; n < 200; n++) { x = fract(sin(x * 12.9898) * 437.5453) + x * 0.25; }
    v[i.x] = x;
  }\`;
async function adapter() {
  for (;;) {
    const found = await navigator.gpu.requestAdapter();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
async function compute(device) {
  const size = 65536;
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const work = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const result = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const entries = [{ binding: 0, resource: { buffer: work } }];
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(size / 256);
  pass.end();
  encoder.copyBufferToBuffer(work, 0, result, 0, size);
  device.queue.submit([encoder.finish()]);
  await result.mapAsync(GPUMapMode.READ);
  return createHash("sha256").update(new Uint8Array(result.getMappedRange())).digest("hex");
}
// Waiting for a loss keeps no process.
const awake = setInterval(() => {}, 1000);
for (let round = 0; round < Number(process.env.ROUNDS); ) {
  // A host that goes in between takes a device with it, and what was asked of it: then once more.
  try {
    const device = await (await adapter()).requestDevice();
    console.log("result" + round + " " + await compute(device));
    round += 1;
    if (round < Number(process.env.ROUNDS)) console.log("lost" + round + " " + (await device.lost).reason);
  } catch (error) {
    console.log("failed " + error);
  }
}
clearInterval(awake);
`;
