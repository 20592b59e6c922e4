/** Sources of the programs of the walk. */

/**
 * A whole session in one guest: finds an adapter, makes a device, computes, reads back, gives back. Ends by itself whatever happens to
 * the others, and says how: `end right`, `end lost …`, `end refused …`, `end wrong …`, `end stuck …`.
 */
export const session = `
const patience = setTimeout(() => { console.log("end stuck"); process.exit(0); }, 150_000);
const done = (how) => { clearTimeout(patience); console.log("end " + how); process.exit(0); };
let lost;
try {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) done("refused: no adapter");
  const device = await adapter.requestDevice();
  device.addEventListener("uncapturederror", () => undefined);
  device.lost.then((info) => { lost = info; });
  const module = device.createShaderModule({ code: \`
    @group(0) @binding(0) var<storage, read_write> v: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) i: vec3u) { v[i.x] = i.x * i.x + 1u; }\` });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const work = device.createBuffer({ size: 4096, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const result = device.createBuffer({ size: 4096, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const entries = [{ binding: 0, resource: { buffer: work } }];
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(16);
  pass.end();
  encoder.copyBufferToBuffer(work, 0, result, 0, 4096);
  device.queue.submit([encoder.finish()]);
  await result.mapAsync(GPUMapMode.READ);
  const values = new Uint32Array(result.getMappedRange());
  const right = values.every((value, i) => value === i * i + 1);
  // A device that is lost answers every call; what it answers is not a result. That it is lost may be heard later.
  if (!right) await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 20_000))]);
  if (lost === undefined && !right) done("wrong: " + values.slice(0, 8));
  device.destroy();
  await device.lost;
  done(lost === undefined || lost.reason === "destroyed" ? "right" : "lost: " + lost.message);
} catch (error) {
  await new Promise((resolve) => setTimeout(resolve, 500));
  done((lost === undefined ? "refused: " : "lost: ") + error.name + ": " + error.message);
}
`;

/** Computes the same all the time, and says each time what came out: `round <digest>`. Lost devices and hosts it lives through. */
export const neighbour = `
import { createHash } from "node:crypto";
const code = \`
  @group(0) @binding(0) var<storage, read_write> v: array<u32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) i: vec3u) {
    v[i.x] = i.x * 2654435761u;
    for (var n = 0u; n < 64u; n++) { v[i.x] = v[i.x] * 1664525u + n; }
  }\`;
async function round(device) {
  const compute = { module: device.createShaderModule({ code }) };
  const pipeline = device.createComputePipeline({ layout: "auto", compute });
  const work = device.createBuffer({ size: 4096, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const result = device.createBuffer({ size: 4096, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const entries = [{ binding: 0, resource: { buffer: work } }];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(16);
  pass.end();
  encoder.copyBufferToBuffer(work, 0, result, 0, 4096);
  device.queue.submit([encoder.finish()]);
  await result.mapAsync(GPUMapMode.READ);
  const digest = createHash("sha256").update(new Uint8Array(result.getMappedRange())).digest("hex");
  work.destroy();
  result.destroy();
  return digest;
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let first;
for (;;) {
  const device = await (await navigator.gpu.requestAdapter())?.requestDevice().catch(() => undefined);
  if (device === undefined) {
    await pause(50);
    continue;
  }
  let lost = false;
  device.lost.then(() => { lost = true; });
  device.addEventListener("uncapturederror", () => undefined);
  while (!lost) {
    const digest = await round(device).catch(() => "none");
    // What a lost device answers is no result, and that it is lost may be heard later.
    if (digest === "none" || (first !== undefined && digest !== first)) await Promise.race([device.lost, pause(20_000)]);
    if (lost) break;
    first ??= digest;
    console.log("round " + digest);
    await pause(20);
  }
}
`;

/** A guest's kernel that serves until it is told to end, and then ends in order. */
export const kernelOfTheWalk = `
import { startGuestKernel } from "parhelion-guest";
const { vmbus, credential, directory } = JSON.parse(process.env.GUEST);
const kernel = await startGuestKernel({ connect: { path: vmbus }, credential, directory });
process.once("SIGTERM", async () => { await kernel.stop(); process.exit(0); });
console.log("nodes");
`;

/** A host on `$STATE`. Its engines have an ear: see engine-entry.test.child.ts. */
export const hostOfTheWalk = `
import { createEngineLauncher } from "parhelion-engine";
import { startHost } from "parhelion-host";
const { STATE, ENTRY, PARHELION_WALK_PLAN, PARHELION_WALK_STEPS } = process.env;
const launcher = createEngineLauncher();
const host = await startHost({
  launcher: {
    ...launcher,
    entry: ENTRY,
    environmentFor: async (kind) => ({ ...(await launcher.environmentFor(kind)), PARHELION_WALK_PLAN, PARHELION_WALK_STEPS }),
  },
  stateDirectory: STATE,
  adapter: "software",
  backOff: { firstMs: 10, mostMs: 50, healthyAfterMs: 0 },
  logLevel: "silent",
});
process.once("SIGTERM", () => host.stop());
console.log("ready");
`;
