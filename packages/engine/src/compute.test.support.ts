/** The same small computation wherever an engine is tested: squares of 0…n-1, times a factor, read back. */
import { encode, type Handled, InterfaceKind } from "parhelion-protocol";
import { type Script, Usage } from "./script.test.support.js";

const CODE = `
  @group(0) @binding(0) var<storage, read_write> data: array<u32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x < arrayLength(&data)) { data[id.x] = data[id.x] * data[id.x] * 3u; }
  }`;

export async function computeSquares(script: Script, count: number): Promise<Uint32Array> {
  const { stream } = script;
  const bytes = count * 4;
  const storage = script.createBuffer(bytes, Usage.STORAGE | Usage.COPY_SRC | Usage.COPY_DST);
  const staging = script.createBuffer(bytes, Usage.MAP_READ | Usage.COPY_DST);
  script.write(
    storage,
    0,
    Uint32Array.from({ length: count }, (_, index) => index),
  );
  const [module, pipeline, layout, group, encoder, pass, commands] = Array.from({ length: 7 }, () =>
    script.id(),
  );
  const handle = (kind: number, id: number): Handled => script.handle(kind, id);
  encode.deviceCreateShaderModule(stream, 1, module!, { code: CODE });
  const compute = { module: handle(InterfaceKind.GPUShaderModule, module!) };
  encode.deviceCreateComputePipeline(stream, 1, pipeline!, { layout: "auto", compute });
  encode.computePipelineGetBindGroupLayout(stream, pipeline!, layout!, 0);
  encode.deviceCreateBindGroup(stream, 1, group!, {
    layout: handle(InterfaceKind.GPUBindGroupLayout, layout!),
    entries: [{ binding: 0, resource: { buffer: script.buffer(storage) } }],
  });
  encode.deviceCreateCommandEncoder(stream, 1, encoder!);
  encode.commandEncoderBeginComputePass(stream, encoder!, pass!);
  encode.computePassEncoderSetPipeline(stream, pass!, handle(InterfaceKind.GPUComputePipeline, pipeline!));
  encode.computePassEncoderSetBindGroup(stream, pass!, 0, handle(InterfaceKind.GPUBindGroup, group!));
  encode.computePassEncoderDispatchWorkgroups(stream, pass!, Math.ceil(count / 64));
  encode.computePassEncoderEnd(stream, pass!);
  const [from, to] = [script.buffer(storage), script.buffer(staging)];
  encode.commandEncoderCopyBufferToBuffer(stream, encoder!, from, 0, to, 0, bytes);
  encode.commandEncoderFinish(stream, encoder!, commands!);
  script.submit(commands!);
  const result = new Uint32Array((await script.map(staging, 1)).buffer);
  script.unmap(staging);
  script.release(module!, pipeline!, layout!, group!, encoder!, pass!, commands!, storage, staging);
  return result;
}

export function expectedSquares(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index * index * 3);
}
