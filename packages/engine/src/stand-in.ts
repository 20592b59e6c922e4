/**
 * Objects that are invalid for sure. One stands in for an object of another device that is not to be had here: its queue is read
 * later than this one, or it is another process's. WebGPU refuses the one as it refuses the other: where the object is used,
 * which for most commands is where the encoder is finished.
 */
import { InterfaceKind } from "parhelion-protocol";
import { silently } from "./accounting/resources.js";

type Maker = (device: GPUDevice, label: string) => object;

const module = (device: GPUDevice, label: string) => device.createShaderModule({ label, code: "invalid" });
const texture = (device: GPUDevice, label: string) =>
  device.createTexture({ label, size: [1], format: "rgba8unorm", usage: 0 });
const layout = (device: GPUDevice, label: string) => {
  const entry = { binding: 0, visibility: 0, buffer: {} };
  return device.createBindGroupLayout({ label, entries: [entry, entry] });
};

const makers: Readonly<Record<number, Maker>> = {
  [InterfaceKind.GPUBuffer]: (device, label) => device.createBuffer({ label, size: 4, usage: 0 }),
  [InterfaceKind.GPUTexture]: texture,
  [InterfaceKind.GPUTextureView]: (device, label) => texture(device, label).createView({ label }),
  [InterfaceKind.GPUSampler]: (device, label) => device.createSampler({ label, lodMinClamp: -1 }),
  [InterfaceKind.GPUBindGroupLayout]: layout,
  [InterfaceKind.GPUPipelineLayout]: (device, label) =>
    device.createPipelineLayout({ label, bindGroupLayouts: [layout(device, label)] }),
  [InterfaceKind.GPUBindGroup]: (device, label) =>
    device.createBindGroup({ label, layout: layout(device, label), entries: [] }),
  [InterfaceKind.GPUShaderModule]: module,
  [InterfaceKind.GPUComputePipeline]: (device, label) =>
    device.createComputePipeline({ label, layout: "auto", compute: { module: module(device, label) } }),
  [InterfaceKind.GPURenderPipeline]: (device, label) =>
    device.createRenderPipeline({ label, layout: "auto", vertex: { module: module(device, label) } }),
  [InterfaceKind.GPURenderBundle]: (device, label) =>
    device.createRenderBundleEncoder({ colorFormats: [] }).finish({ label }),
  [InterfaceKind.GPUQuerySet]: (device, label) =>
    device.createQuerySet({ label, type: "occlusion", count: 0xffff_ffff }),
  [InterfaceKind.GPUCommandBuffer]: (device, label) => {
    const encoder = device.createCommandEncoder();
    encoder.popDebugGroup();
    return encoder.finish({ label });
  },
};

/** @returns undefined for a kind that no command takes as an argument */
export function standIn(device: GPUDevice, kind: number): object | undefined {
  return silently(device, () => makers[kind]?.(device, "an object of another device"));
}

/** Raises its validation error: use it in `silently`. */
export function invalidObject(
  device: GPUDevice,
  kind: keyof typeof InterfaceKind,
  label: string,
): object | undefined {
  return makers[InterfaceKind[kind]]?.(device, label);
}
