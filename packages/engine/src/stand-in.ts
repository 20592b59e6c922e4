/**
 * Objects that are invalid for sure. One stands in for an object of another device that is not to be had here: its queue is read
 * later than this one, or it is another process's. WebGPU refuses the one as it refuses the other: where the object is used,
 * which for most commands is where the encoder is finished.
 */
import { InterfaceKind } from "parhelion-protocol";

const label = "an object of another device";
const module = (device: GPUDevice) => device.createShaderModule({ label, code: "invalid" });
const texture = (device: GPUDevice) =>
  device.createTexture({ label, size: [1], format: "rgba8unorm", usage: 0 });
const layout = (device: GPUDevice) => {
  const entry = { binding: 0, visibility: 0, buffer: {} };
  return device.createBindGroupLayout({ label, entries: [entry, entry] });
};

const makers: Readonly<Record<number, (device: GPUDevice) => object>> = {
  [InterfaceKind.GPUBuffer]: (device) => device.createBuffer({ label, size: 4, usage: 0 }),
  [InterfaceKind.GPUTexture]: texture,
  [InterfaceKind.GPUTextureView]: (device) => texture(device).createView({ label }),
  [InterfaceKind.GPUSampler]: (device) => device.createSampler({ label, lodMinClamp: -1 }),
  [InterfaceKind.GPUBindGroupLayout]: layout,
  [InterfaceKind.GPUPipelineLayout]: (device) =>
    device.createPipelineLayout({ label, bindGroupLayouts: [layout(device)] }),
  [InterfaceKind.GPUBindGroup]: (device) =>
    device.createBindGroup({ label, layout: layout(device), entries: [] }),
  [InterfaceKind.GPUShaderModule]: module,
  [InterfaceKind.GPUComputePipeline]: (device) =>
    device.createComputePipeline({ label, layout: "auto", compute: { module: module(device) } }),
  [InterfaceKind.GPURenderPipeline]: (device) =>
    device.createRenderPipeline({ label, layout: "auto", vertex: { module: module(device) } }),
  [InterfaceKind.GPURenderBundle]: (device) =>
    device.createRenderBundleEncoder({ colorFormats: [] }).finish({ label }),
  [InterfaceKind.GPUQuerySet]: (device) =>
    device.createQuerySet({ label, type: "occlusion", count: 0xffff_ffff }),
  [InterfaceKind.GPUCommandBuffer]: (device) => {
    const encoder = device.createCommandEncoder();
    encoder.popDebugGroup();
    return encoder.finish({ label });
  },
};

const ignore = () => undefined;

/** @returns undefined for a kind that no command takes as an argument */
export function standIn(device: GPUDevice, kind: number): object | undefined {
  device.pushErrorScope("validation");
  try {
    return makers[kind]?.(device);
  } finally {
    device.popErrorScope().then(ignore, ignore);
  }
}
