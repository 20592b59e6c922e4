// The shortest useful program: one checked dispatch. What a guest needs until then is its start-up time.
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
const storage = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
const target = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
const module = device.createShaderModule({
  code: "@group(0) @binding(0) var<storage, read_write> n: u32; @compute @workgroup_size(1) fn main() { n = 42u; }",
});
const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
const group = device.createBindGroup({
  layout: pipeline.getBindGroupLayout(0),
  entries: [{ binding: 0, resource: { buffer: storage } }],
});
const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, group);
pass.dispatchWorkgroups(1);
pass.end();
encoder.copyBufferToBuffer(storage, 0, target, 0, 4);
device.queue.submit([encoder.finish()]);
await target.mapAsync(GPUMapMode.READ);
const [value] = new Uint32Array(target.getMappedRange());
if (value !== 42) throw new Error(`computed ${value}, not 42`);
console.log(JSON.stringify({ value }));
