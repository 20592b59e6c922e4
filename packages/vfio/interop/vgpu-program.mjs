/**
 * What the driver in a virtual machine sends through a queue, and what has to come back: a compute program, encoded as our own client
 * encodes it. Each round uploads 1024 numbers, has the GPU compute another 1024 from them, and maps the result.
 */
import {
  CommandStream,
  createInProcessPair,
  encode,
  HANDLE,
  InterfaceKind,
  KIND,
  OWNER,
  QUEUE_HANDLE,
} from "parhelion-protocol";

/** GPUBufferUsage, GPUMapMode. */
const Usage = { MAP_READ: 0x1, COPY_SRC: 0x4, COPY_DST: 0x8, STORAGE: 0x80 };
const READ = 1;
const device = 1;
const words = 1024;
const size = 4 * words;
const code = `
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  output[i] = (input[i] * input[i] + input[(i + 1u) % ${words}u]) ^ (i * 2654435761u);
}`;
const computed = (input) =>
  Uint32Array.from(
    input,
    (value, i) => ((Math.imul(value, value) + input[(i + 1) % words]) ^ Math.imul(i, 2654435761)) >>> 0,
  );

/** @returns bytes to be sent behind a queue's hello, as one run of records, and those of all results in their order */
export function vgpuProgram(rounds) {
  const [client, engine] = createInProcessPair();
  const owner = {};
  const stream = new CommandStream({ tx: client.tx, owner, features: new Set(), importForeign: () => 0 });
  const handle = (kind, id) => ({ [KIND]: kind, [HANDLE]: id, [OWNER]: owner });
  let last = 2;
  const next = () => ++last;
  const buffer = (usage) => {
    const id = next();
    encode.deviceCreateBuffer(stream, device, id, { size, usage });
    return handle(InterfaceKind.GPUBuffer, id);
  };
  const shader = handle(InterfaceKind.GPUShaderModule, next());
  encode.deviceCreateShaderModule(stream, device, shader[HANDLE], { code });
  const pipeline = handle(InterfaceKind.GPUComputePipeline, next());
  const compute = { module: shader, entryPoint: "main" };
  encode.deviceCreateComputePipeline(stream, device, pipeline[HANDLE], { layout: "auto", compute });
  const layout = handle(InterfaceKind.GPUBindGroupLayout, next());
  encode.computePipelineGetBindGroupLayout(stream, pipeline[HANDLE], layout[HANDLE], 0);
  const input = buffer(Usage.STORAGE | Usage.COPY_DST);
  const output = buffer(Usage.STORAGE | Usage.COPY_SRC);
  const group = handle(InterfaceKind.GPUBindGroup, next());
  const entries = [input, output].map((resource, binding) => ({ binding, resource: { buffer: resource } }));
  encode.deviceCreateBindGroup(stream, device, group[HANDLE], { layout, entries });

  const results = [];
  for (let round = 0; round < rounds; round++) {
    const numbers = Uint32Array.from({ length: words }, (_, i) => Math.imul(i + 1, 40503 + 2 * round) >>> 0);
    encode.queueWriteBuffer(stream, QUEUE_HANDLE, input, 0, numbers);
    const encoder = next();
    encode.deviceCreateCommandEncoder(stream, device, encoder);
    const pass = next();
    encode.commandEncoderBeginComputePass(stream, encoder, pass);
    encode.computePassEncoderSetPipeline(stream, pass, pipeline);
    encode.computePassEncoderSetBindGroup(stream, pass, 0, group);
    encode.computePassEncoderDispatchWorkgroups(stream, pass, words / 64);
    encode.computePassEncoderEnd(stream, pass);
    const result = buffer(Usage.COPY_DST | Usage.MAP_READ);
    encode.commandEncoderCopyBufferToBuffer(stream, encoder, output, 0, result, 0, size);
    const commands = handle(InterfaceKind.GPUCommandBuffer, next());
    encode.commandEncoderFinish(stream, encoder, commands[HANDLE]);
    encode.queueSubmit(stream, QUEUE_HANDLE, [commands]);
    encode.bufferMapAsync(stream, result[HANDLE], round + 1, READ);
    results.push(computed(numbers));
  }
  stream.flush();
  const records = [];
  for (let at = engine.rx.next(); at >= 0; at = engine.rx.next()) {
    const { u32 } = engine.rx;
    records.push(Buffer.from(u32.slice(at, at + u32[at] / 4).buffer));
    engine.rx.done();
  }
  client.close();
  return {
    program: Buffer.concat(records),
    results: Buffer.concat(results.map(({ buffer: bytes }) => Buffer.from(bytes))),
  };
}
