// What shares an adapter in bench/time.mjs: an ordinary WebGPU program in a guest, in one of the roles below. It prints "ready" when
// it is warm, begins with the first line on its standard input, and prints its numbers as one JSON line.
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [role, secondsText, iterationsText] = process.argv.slice(2);
const seconds = Number(secondsText);
const GROUPS = 64;

/** A device with a pipeline that multiplies and adds as often as it is told. */
async function open(code, iterations) {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("no adapter");
  const device = await adapter.requestDevice();
  device.addEventListener("uncapturederror", () => undefined);
  const data = device.createBuffer({ size: GROUPS * 64 * 4, usage: GPUBufferUsage.STORAGE });
  const count = device.createBuffer({ size: 4, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(count, 0, new Uint32Array([iterations]));
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ label: role, layout: "auto", compute: { module } });
  const entries = [data, count].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const submit = (groups = GROUPS) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(groups);
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
  return { device, submit, done: () => device.queue.onSubmittedWorkDone() };
}

const head = `
  @group(0) @binding(0) var<storage, read_write> data: array<u32>;
  @group(0) @binding(1) var<uniform> count: u32;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {`;
const WORK = `${head}
    var x = data[id.x];
    for (var i = 0u; i < count; i++) { x = x * 1664525u + 1013904223u; }
    data[id.x] = x;
  }`;
/** Its end depends on memory, lest a compiler see that it has none. */
const ENDLESS = `${head}
    loop { if (data[0] == 4711u + count) { break; } data[1] = data[1] + 1u; }
  }`;

const quantile = (values, q) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function begin() {
  console.log("ready");
  await lines.next();
}

function report(latencies, since) {
  const elapsed = performance.now() - since;
  const numbers = {
    perSecond: (latencies.length * 1000) / elapsed,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
  console.log(JSON.stringify(numbers));
}

/** One job every `period` ms, or, without a period, the next as soon as the last is done; `ahead` of them on their way. */
async function jobs({ period = 0, ahead = 1 }) {
  const { submit, done } = await open(WORK, Number(iterationsText));
  for (let i = 0; i < 20; i++) {
    submit();
    await done();
  }
  await begin();
  const latencies = [];
  const since = performance.now();
  const lane = async () => {
    for (let next = since; performance.now() - since < seconds * 1000; ) {
      if (period > 0) {
        await sleep(Math.max(0, next - performance.now()));
        next += period;
      }
      const start = performance.now();
      submit();
      await done();
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: ahead }, lane));
  report(latencies, since);
}

async function calibrate() {
  let iterations = 100;
  for (;;) {
    const { device, submit, done } = await open(WORK, iterations);
    const times = [];
    for (let i = 0; i < 12; i++) {
      const start = performance.now();
      submit();
      await done();
      times.push(performance.now() - start);
    }
    device.destroy();
    const ms = quantile(times, 0.5);
    if (ms > Number(secondsText) / 4) {
      console.log(JSON.stringify({ iterations: Math.round((iterations * Number(secondsText)) / ms) }));
      return;
    }
    iterations *= 2;
  }
}

/** Until it is killed. Whoever takes its device away hears of it again. */
const trouble = {
  loop: async () => {
    const { device, submit } = await open(ENDLESS, 1);
    submit();
    await device.lost;
  },
  flood: async () => {
    const { device, submit, done } = await open(WORK, 10);
    const lost = device.lost.then(() => "lost");
    for (;;) {
      for (let i = 0; i < 200; i++) submit(1);
      if ((await Promise.race([lost, done()])) === "lost") return;
    }
  },
  allocate: async () => {
    const { device } = await open(WORK, 1);
    const size = 16 * 2 ** 20;
    const held = [];
    for (;;) {
      device.pushErrorScope("out-of-memory");
      const buffer = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST });
      const error = await device.popErrorScope();
      if (error === null) {
        held.push(buffer);
        device.queue.writeBuffer(buffer, 0, new Uint8Array(65_536));
        device.queue.submit([]);
      } else for (const each of held.splice(0, held.length / 2)) each.destroy();
    }
  },
  idle: async () => {
    await open(WORK, 1);
    await new Promise(() => setInterval(() => undefined, 1000));
  },
};

switch (role) {
  case "calibrate":
    await calibrate();
    break;
  case "modest":
    await jobs({ period: 50 });
    break;
  case "greedy":
    await jobs({ ahead: 8 });
    break;
  default:
    console.log("ready");
    for (;;) {
      await trouble[role]().catch(() => sleep(200));
    }
}
process.exit(0);
