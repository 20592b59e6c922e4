/** Whole programs as commands, for the engine: most of what a random mutation of single commands makes fails before Dawn sees it. */
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
import { join } from "../lib/mutate.mjs";

const compute = `
@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { values[id.x] = id.x * id.x; }`;
const render = `
@vertex fn at(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f { return vec4f(f32(i), 0, 0, 1); }
@fragment fn color() -> @location(0) vec4f { return vec4f(1, 0, 0, 1); }`;

/** @param write (stream, handle) sends commands; ids from 3 on are free */
function record(write) {
  const [client, engine] = createInProcessPair();
  const owner = {};
  const stream = new CommandStream({ tx: client.tx, owner, features: new Set(), importForeign: () => 0 });
  write(stream, (kind, id) => ({ [KIND]: InterfaceKind[kind], [HANDLE]: id, [OWNER]: owner }));
  stream.flush();
  const records = [];
  for (let word = engine.rx.next(); word >= 0; word = engine.rx.next()) {
    records.push(engine.rx.u8.slice(word * 4, word * 4 + engine.rx.recordBytes));
    engine.rx.done();
  }
  client.close();
  engine.close();
  return join(records);
}

export function recordings() {
  return [
    record((stream, handle) => {
      encode.deviceCreateBuffer(stream, 1, 3, { size: 256, usage: 0x84 });
      encode.deviceCreateBuffer(stream, 1, 4, { size: 256, usage: 0x9 });
      encode.deviceCreateShaderModule(stream, 1, 5, { code: compute });
      encode.deviceCreateComputePipeline(stream, 1, 6, {
        layout: "auto",
        compute: { module: handle("GPUShaderModule", 5) },
      });
      encode.computePipelineGetBindGroupLayout(stream, 6, 7, 0);
      encode.deviceCreateBindGroup(stream, 1, 8, {
        layout: handle("GPUBindGroupLayout", 7),
        entries: [{ binding: 0, resource: { buffer: handle("GPUBuffer", 3) } }],
      });
      encode.deviceCreateCommandEncoder(stream, 1, 9);
      encode.commandEncoderBeginComputePass(stream, 9, 10);
      encode.computePassEncoderSetPipeline(stream, 10, handle("GPUComputePipeline", 6));
      encode.computePassEncoderSetBindGroup(stream, 10, 0, handle("GPUBindGroup", 8));
      encode.computePassEncoderDispatchWorkgroups(stream, 10, 1);
      encode.computePassEncoderEnd(stream, 10);
      encode.commandEncoderCopyBufferToBuffer(
        stream,
        9,
        handle("GPUBuffer", 3),
        0,
        handle("GPUBuffer", 4),
        0,
        256,
      );
      encode.commandEncoderFinish(stream, 9, 11);
      encode.queueSubmit(stream, QUEUE_HANDLE, [handle("GPUCommandBuffer", 11)]);
      encode.bufferMapAsync(stream, 4, 1, 1);
      encode.queueOnSubmittedWorkDone(stream, QUEUE_HANDLE, 2);
      encode.bufferUnmap(stream, 4);
      for (const id of [9, 10, 11, 4]) encode.release(stream, id);
    }),
    record((stream, handle) => {
      encode.devicePushErrorScope(stream, 1, "validation");
      encode.deviceCreateTexture(stream, 1, 3, { size: [16, 16], format: "rgba8unorm", usage: 0x13 });
      encode.textureCreateView(stream, 3, 4);
      encode.deviceCreateShaderModule(stream, 1, 5, { code: render });
      const module = handle("GPUShaderModule", 5);
      encode.deviceCreateRenderPipeline(stream, 1, 6, {
        layout: "auto",
        vertex: { module },
        fragment: { module, targets: [{ format: "rgba8unorm" }] },
      });
      encode.deviceCreateCommandEncoder(stream, 1, 9);
      encode.commandEncoderBeginRenderPass(stream, 9, 10, {
        colorAttachments: [{ view: handle("GPUTextureView", 4), loadOp: "clear", storeOp: "store" }],
      });
      encode.renderPassEncoderSetPipeline(stream, 10, handle("GPURenderPipeline", 6));
      encode.renderPassEncoderDraw(stream, 10, 3);
      encode.renderPassEncoderEnd(stream, 10);
      encode.commandEncoderFinish(stream, 9, 11);
      encode.queueSubmit(stream, QUEUE_HANDLE, [handle("GPUCommandBuffer", 11)]);
      const texture = handle("GPUTexture", 3);
      encode.queueWriteTexture(
        stream,
        QUEUE_HANDLE,
        { texture },
        new Uint8Array(1024),
        { bytesPerRow: 64 },
        [16, 16],
      );
      encode.devicePopErrorScope(stream, 1, 1);
      encode.textureDestroy(stream, 3);
    }),
    record((stream, handle) => {
      encode.deviceCreateBuffer(stream, 1, 3, { size: 64, usage: 0x2 | 0x4, mappedAtCreation: true });
      encode.bufferWriteMapped(stream, 3, 0, new Uint8Array(64).fill(7));
      encode.bufferUnmap(stream, 3);
      encode.bufferMapAsync(stream, 3, 1, 2, 8, 16);
      encode.queueWriteBuffer(stream, QUEUE_HANDLE, handle("GPUBuffer", 3), 0, new Uint8Array(16));
      encode.deviceCreateQuerySet(stream, 1, 4, { type: "occlusion", count: 4 });
      encode.querySetDestroy(stream, 4);
      encode.bufferDestroy(stream, 3);
      encode.deviceCreateSampler(stream, 1, 5, {});
      encode.release(stream, 3);
    }),
  ];
}
