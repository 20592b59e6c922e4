/** Sources of the programs that the tests run in guests. They say what happened in one line each, and end by themselves. */

/** Squares 1024 numbers, checks all of them, prints `squares <last>`. */
export const squares = `
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
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
if (!values.every((value, i) => value === i * i + 1)) throw new Error("wrong result: " + values.slice(0, 8));
console.log("squares " + values[1023]);
`;

/**
 * Works without end until its device is lost; then prints \`lost <reason>: <message>\`, how each promise settled that was
 * pending, and \`next <whether a device can be had again>\`.
 */
export const untilLost = `
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
device.addEventListener("uncapturederror", ({ error }) => console.log("error " + error.message));
const module = device.createShaderModule({ code: \`
  @group(0) @binding(0) var<storage, read_write> v: array<u32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) i: vec3u) {
    for (var n = 0u; n < 2000u; n++) { v[i.x] = v[i.x] * 1664525u + n; }
  }\` });
const compute = { module };
const pipeline = device.createComputePipeline({ layout: "auto", compute });
const buffer = device.createBuffer({ size: 4096, usage: GPUBufferUsage.STORAGE });
const entries = [{ binding: 0, resource: { buffer } }];
const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
const outcomes = [];
const track = (name, promise) => outcomes.push(promise.then(() => name + " resolved", (error) => name + " rejected"));
const submit = () => {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(16);
  pass.end();
  device.queue.submit([encoder.finish()]);
};
let state = "working";
device.lost.then(({ reason, message }) => {
  state = "lost";
  console.log("lost " + reason + ": " + message);
});
let rounds = 0;
while (state === "working") {
  for (let i = 0; i < 5; i++) submit();
  const target = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  device.pushErrorScope("validation");
  outcomes.length = 0;
  track("work", device.queue.onSubmittedWorkDone());
  track("map", target.mapAsync(GPUMapMode.READ));
  track("pipeline", device.createComputePipelineAsync({ layout: "auto", compute }));
  track("scope", device.popErrorScope());
  track("device", navigator.gpu.requestAdapter().then((other) => other.requestDevice()).then((other) => other.destroy()));
  if (++rounds === 2) console.log("working");
  await Promise.all(outcomes);
}
console.log("settled " + (await Promise.all(outcomes)).length);
const again = await navigator.gpu.requestAdapter();
const next = again === null ? "no adapter" : await again.requestDevice().then(() => "device", (error) => error.name);
console.log("next " + next);
`;

/** Holds 100 devices at once, each with a result of its own that it checks; prints \`devices 100\`. */
export const hundredDevices = `
const adapter = await navigator.gpu.requestAdapter();
const devices = [];
for (let i = 0; i < 100; i++) devices.push(await (await navigator.gpu.requestAdapter()).requestDevice());
const results = await Promise.all(devices.map(async (device, i) => {
  const source = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
  const target = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(source, 0, new Uint32Array([i, i + 1, i + 2, i + 3]));
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, 0, target, 0, 16);
  device.queue.submit([encoder.finish()]);
  await target.mapAsync(GPUMapMode.READ);
  return [...new Uint32Array(target.getMappedRange())].join();
}));
results.forEach((result, i) => {
  if (result !== [i, i + 1, i + 2, i + 3].join()) throw new Error("device " + i + " read " + result);
});
console.log("devices " + results.length);
`;

/** Uses a buffer of one device on another; prints \`foreign <what that is>\`. */
export const foreignObject = `
const open = async () => (await navigator.gpu.requestAdapter()).requestDevice();
const [mine, other] = [await open(), await open()];
const buffer = other.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
// Two queues have no order of their own: an engine that reads mine first has never met the buffer.
await other.queue.onSubmittedWorkDone();
mine.pushErrorScope("validation");
const entry = { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: "storage" } };
const layout = mine.createBindGroupLayout({ entries: [entry] });
mine.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
const error = await mine.popErrorScope();
console.log("foreign " + error?.message);
`;

/** A host in a process of its own, on `$STATE`; prints `guest <what guestCreate answered>`. */
export const hostProcess = `
import { createEngineLauncher } from "parhelion-engine";
import { startHost } from "parhelion-host";
const host = await startHost({ launcher: createEngineLauncher(), stateDirectory: process.env.STATE, adapter: "software" });
console.log("guest " + JSON.stringify(await host.guestCreate()));
`;

/** A guest kernel in a process of its own, for the guest `$GUEST`; prints `nodes <names>`. */
export const kernelProcess = `
import { startGuestKernel } from "parhelion-guest";
const { vmbus, credential, directory } = JSON.parse(process.env.GUEST);
const kernel = await startGuestKernel({ connect: { path: vmbus }, credential, directory });
console.log("nodes " + kernel.nodes);
`;

/** Starts a host on `$STATE`, works in it, stops it, and has nothing more to do. */
export const shortLivedHost = `
import { createEngineLauncher } from "parhelion-engine";
import { startGuestKernel } from "parhelion-guest";
import { startHost } from "parhelion-host";
const stateDirectory = process.env.STATE;
const host = await startHost({ launcher: createEngineLauncher(), stateDirectory, adapter: "software", listen: { port: 0 } });
const { vmbus, credential, directory } = await host.guestCreate();
const kernel = await startGuestKernel({ connect: { path: vmbus }, credential, directory });
console.log("nodes " + kernel.nodes);
await host.stop();
await kernel.stop();
`;
