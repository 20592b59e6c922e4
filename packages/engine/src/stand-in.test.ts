import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { InterfaceKind } from "parhelion-protocol";
import { create } from "webgpu";
import { standIn } from "./stand-in.js";

const gpu = create(["backend=null"]);
after(() => assert.ok(gpu));

type Use = (device: GPUDevice, object: never) => unknown;

const code =
  "@compute @workgroup_size(1) fn main() {} @vertex fn v() -> @builtin(position) vec4f { return vec4f(); }";
const layoutOf = (device: GPUDevice, entry: object) =>
  device.createBindGroupLayout({
    entries: [{ binding: 0, visibility: 4, ...entry }],
  });
const bind = (device: GPUDevice, entry: object, resource: GPUBindingResource) =>
  device.createBindGroup({ layout: layoutOf(device, entry), entries: [{ binding: 0, resource }] });
const renderPass = (device: GPUDevice, act: (pass: GPURenderPassEncoder) => void) => {
  const view = device.createTexture({ size: [1], format: "rgba8unorm", usage: 16 }).createView();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: "clear", storeOp: "store" }] });
  act(pass);
  pass.end();
  encoder.finish();
};
const computePass = (device: GPUDevice, act: (pass: GPUComputePassEncoder) => void) => {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  act(pass);
  pass.end();
  encoder.finish();
};

const uses: Readonly<Record<string, Use>> = {
  GPUBuffer: (device, buffer) => device.queue.writeBuffer(buffer, 0, new Uint8Array(4)),
  GPUTexture: (device, texture) => device.queue.writeTexture({ texture }, new Uint8Array(4), {}, [1]),
  GPUTextureView: (device, view) => bind(device, { texture: {} }, view),
  GPUSampler: (device, sampler) => bind(device, { sampler: {} }, sampler),
  GPUBindGroupLayout: (device, layout) => device.createPipelineLayout({ bindGroupLayouts: [layout] }),
  GPUPipelineLayout: (device, layout) =>
    device.createComputePipeline({ layout, compute: { module: device.createShaderModule({ code }) } }),
  GPUBindGroup: (device, group) => computePass(device, (pass) => pass.setBindGroup(0, group)),
  GPUShaderModule: (device, module) => device.createComputePipeline({ layout: "auto", compute: { module } }),
  GPUComputePipeline: (device, pipeline) => computePass(device, (pass) => pass.setPipeline(pipeline)),
  GPURenderPipeline: (device, pipeline) => renderPass(device, (pass) => pass.setPipeline(pipeline)),
  GPURenderBundle: (device, bundle) => renderPass(device, (pass) => pass.executeBundles([bundle])),
  GPUQuerySet: (device, querySet) => {
    const target = device.createBuffer({ size: 256, usage: GPUQueryResolve });
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(querySet, 0, 1, target, 0);
    encoder.finish();
  },
  GPUCommandBuffer: (device, commands) => device.queue.submit([commands]),
};
const GPUQueryResolve = 512;

describe("what stands in for an object of another device", { timeout: 300_000 }, () => {
  for (const [name, use] of Object.entries(uses)) {
    it(`is an invalid ${name}: silent when it is made, an error when it is used`, async () => {
      const adapter = await gpu.requestAdapter();
      const device = await adapter!.requestDevice();
      device.pushErrorScope("validation");
      const object = standIn(device, InterfaceKind[name as keyof typeof InterfaceKind]);
      assert.equal(await device.popErrorScope(), null);
      device.pushErrorScope("validation");
      use(device, object as never);
      const error = await device.popErrorScope();
      assert.match(error?.message ?? "", /Invalid \w+ "an object of another device"/);
      device.destroy();
    });
  }

  it("exists for nothing that can't be an argument", async () => {
    const adapter = await gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    assert.equal(standIn(device, InterfaceKind.GPUQueue), undefined);
    device.destroy();
  });
});
