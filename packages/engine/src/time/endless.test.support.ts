/** A submission whose only dispatch never ends. */
import { encode, InterfaceKind } from "parhelion-protocol";
import { type Script, Usage } from "../script.test.support.js";

/** Its condition is in memory, so that no compiler finds out that it never holds. */
const ENDLESS = `
  @group(0) @binding(0) var<storage, read_write> data: array<u32>;
  @compute @workgroup_size(1) fn main() {
    loop { if (data[0] == 4711u) { break; } data[1] = data[1] + 1u; }
  }`;

export function submitEndless(script: Script): void {
  const { stream } = script;
  const storage = script.createBuffer(256, Usage.STORAGE);
  const [module = 0, pipeline = 0, layout = 0, group = 0, encoder = 0, pass = 0, commands = 0] = Array.from(
    { length: 7 },
    () => script.id(),
  );
  encode.deviceCreateShaderModule(stream, 1, module, { code: ENDLESS });
  const compute = { module: script.handle(InterfaceKind.GPUShaderModule, module) };
  encode.deviceCreateComputePipeline(stream, 1, pipeline, { label: "for ever", layout: "auto", compute });
  encode.computePipelineGetBindGroupLayout(stream, pipeline, layout, 0);
  encode.deviceCreateBindGroup(stream, 1, group, {
    layout: script.handle(InterfaceKind.GPUBindGroupLayout, layout),
    entries: [{ binding: 0, resource: { buffer: script.buffer(storage) } }],
  });
  encode.deviceCreateCommandEncoder(stream, 1, encoder);
  encode.commandEncoderBeginComputePass(stream, encoder, pass, { label: "a pass" });
  encode.computePassEncoderSetPipeline(
    stream,
    pass,
    script.handle(InterfaceKind.GPUComputePipeline, pipeline),
  );
  encode.computePassEncoderSetBindGroup(stream, pass, 0, script.handle(InterfaceKind.GPUBindGroup, group));
  encode.computePassEncoderDispatchWorkgroups(stream, pass, 3, 2);
  encode.computePassEncoderEnd(stream, pass);
  encode.commandEncoderFinish(stream, encoder, commands);
  script.submit(commands);
  stream.flush();
}
