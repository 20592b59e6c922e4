// The measured work: an ordinary WebGPU program that prints its timings as one JSON line. It runs wherever `navigator.gpu` is,
// so the same file is measured in process on Dawn and in a guest. All times in milliseconds unless the name says otherwise.
import { performance } from "node:perf_hooks";

const quick = process.argv.includes("--quick");
const rounds = (n) => (quick ? Math.max(3, Math.ceil(n / 10)) : n);
const MiB = 1024 * 1024;

const adapter = await navigator.gpu.requestAdapter();
if (adapter === null) throw new Error("no adapter");
const device = await adapter.requestDevice();
device.addEventListener("uncapturederror", (event) => {
  throw new Error(`uncaptured: ${event.error.message}`);
});
const { queue } = device;

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
};
const quantile = (values, q) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];

async function timed(body) {
  const start = performance.now();
  await body();
  return performance.now() - start;
}

async function samples(count, body) {
  const out = [];
  for (let i = 0; i < count; i++) out.push(await timed(body));
  return out;
}

const results = {};

async function emptySubmit() {
  const count = rounds(2000);
  await queue.onSubmittedWorkDone();
  const caller = [];
  const drained = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) queue.submit([]);
    caller.push(((performance.now() - start) / count) * 1000);
    await queue.onSubmittedWorkDone();
    drained.push(((performance.now() - start) / count) * 1000);
  }
  results.emptySubmitCallerMicroseconds = median(caller);
  results.emptySubmitDrainedMicroseconds = median(drained);
}

async function roundTrip() {
  const all = await samples(rounds(500), async () => {
    queue.submit([]);
    await queue.onSubmittedWorkDone();
  });
  results.submitDone = median(all);
  results.submitDoneP99 = quantile(all, 0.99);
}

async function smallMap() {
  const source = device.createBuffer({ size: 256, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
  const target = device.createBuffer({ size: 256, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const all = await samples(rounds(500), async () => {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, target, 0, 256);
    queue.submit([encoder.finish()]);
    await target.mapAsync(GPUMapMode.READ);
    new Uint8Array(target.getMappedRange())[0];
    target.unmap();
  });
  results.map256 = median(all);
  results.map256P99 = quantile(all, 0.99);
  source.destroy();
  target.destroy();
}

async function uploads(name, size, count) {
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST });
  const data = new Uint8Array(size).fill(7);
  queue.writeBuffer(buffer, 0, data);
  await queue.onSubmittedWorkDone();
  const awaited = await samples(count, async () => {
    queue.writeBuffer(buffer, 0, data);
    queue.submit([]);
    await queue.onSubmittedWorkDone();
  });
  const pipelined = await timed(async () => {
    for (let i = 0; i < count; i++) queue.writeBuffer(buffer, 0, data);
    queue.submit([]);
    await queue.onSubmittedWorkDone();
  });
  results[`write${name}`] = median(awaited);
  results[`write${name}Pipelined`] = pipelined / count;
  buffer.destroy();
}

async function readback(name, size, count) {
  const source = device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC });
  const target = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const out = new Uint8Array(size);
  results[`readback${name}`] = median(
    await samples(count, async () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, target, 0, size);
      queue.submit([encoder.finish()]);
      await target.mapAsync(GPUMapMode.READ);
      out.set(new Uint8Array(target.getMappedRange()));
      target.unmap();
    }),
  );
  source.destroy();
  target.destroy();
}

function counterPipeline() {
  const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const module = device.createShaderModule({
    code: "@group(0) @binding(0) var<storage, read_write> n: u32; @compute @workgroup_size(1) fn main() { n = n + 1u; }",
  });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  return { pipeline, bindGroup };
}

async function dispatches() {
  const count = quick ? 1000 : 10_000;
  const { pipeline, bindGroup } = counterPipeline();
  const encode = [];
  const done = [];
  for (let round = 0; round < (quick ? 2 : 4); round++) {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    for (let i = 0; i < count; i++) pass.dispatchWorkgroups(1);
    pass.end();
    queue.submit([encoder.finish()]);
    encode.push(performance.now() - start);
    await queue.onSubmittedWorkDone();
    done.push(performance.now() - start);
  }
  results.dispatchesEncode = median(encode);
  results.dispatchesDone = median(done);
}

async function submits() {
  const count = quick ? 100 : 1000;
  const { pipeline, bindGroup } = counterPipeline();
  const caller = [];
  const done = [];
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(1);
      pass.end();
      queue.submit([encoder.finish()]);
    }
    caller.push(performance.now() - start);
    await queue.onSubmittedWorkDone();
    done.push(performance.now() - start);
  }
  results.submitsCaller = median(caller);
  results.submitsDone = median(done);
}

/** Both ends compile what is hot; nobody wants to measure the compiler. */
async function warmUp() {
  const rounds = quick ? 50 : 1000;
  const storage = device.createBuffer({
    size: 256,
    usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  const target = device.createBuffer({ size: 256, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  for (let i = 0; i < rounds; i++) {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(storage, 0, target, 0, 256);
    queue.submit([encoder.finish()]);
    await target.mapAsync(GPUMapMode.READ);
    target.unmap();
  }
  storage.destroy();
  target.destroy();
}

await warmUp();
await emptySubmit();
await roundTrip();
await smallMap();
await uploads("1MiB", MiB, rounds(60));
await uploads("64MiB", 64 * MiB, rounds(6));
await readback("1MiB", MiB, rounds(60));
await readback("64MiB", 64 * MiB, rounds(6));
await dispatches();
await submits();
device.destroy();
console.log(JSON.stringify(results));
