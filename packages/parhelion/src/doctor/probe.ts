/// <reference types="@webgpu/types" />
/**
 * The program that the doctor runs inside a guest: an ordinary WebGPU program that says after every step how it went. The
 * last step is a real dispatch whose result is checked, because everything before it can look healthy on a GPU that
 * computes nothing.
 */
import type { Hop } from "./hop.js";

const COUNT = 4096;
const SHADER = `
@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  values[id.x] = values[id.x] * 3u + 1u;
}`;

class Broken extends Error {
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

async function step<T>(hop: string, remedy: string, body: () => Promise<[T, string]>): Promise<T> {
  const start = performance.now();
  const tell = (state: Hop["state"], detail: string, advice: string) => {
    const line: Hop = { hop, state, detail, remedy: advice, milliseconds: performance.now() - start };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };
  try {
    const [value, detail] = await body();
    tell("ok", detail, "");
    return value;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell("broken", message, error instanceof Broken ? error.remedy : remedy);
    process.exit(3);
  }
}

async function walk(): Promise<void> {
  const gpu = await step("register hook", "start node with --import parhelion-client/register", async () => {
    const found = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
    if (found === undefined) throw new Error("navigator.gpu is missing");
    return [found, "navigator.gpu is there"];
  });
  const { queueCarrier, whyNoAdapter } = await import("parhelion-client");
  const adapter = await step("adapter", "look at the node's directory and at the host's log", async () => {
    const found = await gpu.requestAdapter();
    if (found === null) {
      throw new Broken(
        `requestAdapter() gave null: ${whyNoAdapter() ?? "no reason known"}`,
        "run `parhelion ls` on the host: has this guest a slice?",
      );
    }
    const { vendor, architecture, description } = found.info;
    return [found, [vendor, architecture, description].filter((text) => text !== "").join(" ")];
  });
  const device = await step(
    "device",
    "its engine did not start or did not answer: `parhelion host --log-level debug` says why",
    async () => {
      const opened = await adapter.requestDevice();
      // An adapter that goes meanwhile gives a device that is lost from the start.
      const loss = await Promise.race([opened.lost, nextTurn()]);
      if (loss !== undefined) throw new Error(`the device is lost from the start: ${loss.message}`);
      return [opened, "engine started, queue connected"];
    },
  );
  await step("carrier", "", async () => {
    const { kind, whyNotShared } = queueCarrier() ?? { kind: "unknown", whyNotShared: undefined };
    return [undefined, whyNotShared === undefined ? kind : `${kind}, not shared memory: ${whyNotShared}`];
  });
  await step("dispatch", "the GPU or its driver computes wrongly: try --adapter software", async () => {
    const expected = Uint32Array.from({ length: COUNT }, (_, index) => index * 3 + 1);
    const seen = await dispatch(device);
    const wrong = expected.findIndex((value, index) => value !== seen[index]);
    if (wrong !== -1) throw new Error(`element ${wrong} is ${seen[wrong]}, not ${expected[wrong]}`);
    return [undefined, `${COUNT} results checked`];
  });
  device.destroy();
}

function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}

async function dispatch(device: GPUDevice): Promise<Uint32Array> {
  const size = COUNT * 4;
  const storage = device.createBuffer({
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  const target = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  device.queue.writeBuffer(
    storage,
    0,
    Uint32Array.from({ length: COUNT }, (_, index) => index),
  );
  const module = device.createShaderModule({ code: SHADER });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: storage } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(COUNT / 64);
  pass.end();
  encoder.copyBufferToBuffer(storage, 0, target, 0, size);
  device.queue.submit([encoder.finish()]);
  await target.mapAsync(GPUMapMode.READ);
  const seen = new Uint32Array(target.getMappedRange().slice(0));
  target.unmap();
  return seen;
}

await walk();
