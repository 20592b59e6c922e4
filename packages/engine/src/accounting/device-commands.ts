/**
 * What the queue's table has as its device: creates what Dawn creates, charged where it takes memory, and with the references that
 * Dawn's own objects have among each other.
 */
import type {
  DecodedGPUBindGroupDescriptor,
  DecodedGPUBindGroupLayoutDescriptor,
  DecodedGPUCommandEncoderDescriptor,
  DecodedGPUComputePipelineDescriptor,
  DecodedGPUPipelineLayoutDescriptor,
  DecodedGPURenderBundleEncoderDescriptor,
  DecodedGPURenderPipelineDescriptor,
  DecodedGPUSamplerDescriptor,
  DecodedGPUShaderModuleDescriptor,
  GPUErrorFilter,
  TargetBindGroup,
  TargetBindGroupLayout,
  TargetCommandEncoder,
  TargetComputePipeline,
  TargetDevice,
  TargetPipelineLayout,
  TargetRenderBundleEncoder,
  TargetRenderPipeline,
  TargetSampler,
  TargetShaderModule,
} from "parhelion-protocol";
import type { EngineDevice } from "../device.js";
import { invalidObject } from "../stand-in.js";
import { BundleRecorder } from "./bundle-recorder.js";
import type { Programs } from "./programs.js";
import { keep, type Trail } from "./trail.js";

const label = "a pipeline that there was no memory for";

export class DeviceCommands implements TargetDevice {
  readonly #device: EngineDevice;
  readonly #dawn: TargetDevice;
  readonly #programs: Programs;
  readonly #trail: Trail;

  constructor(device: EngineDevice, programs: Programs, trail: Trail) {
    this.#device = device;
    this.#dawn = device.dawn as unknown as TargetDevice;
    this.#programs = programs;
    this.#trail = trail;
  }

  get label(): string {
    return this.#dawn.label;
  }

  set label(label: string) {
    this.#dawn.label = label;
  }

  createSampler(descriptor: DecodedGPUSamplerDescriptor): TargetSampler {
    return this.#dawn.createSampler(descriptor);
  }

  createBindGroupLayout(descriptor: DecodedGPUBindGroupLayoutDescriptor): TargetBindGroupLayout {
    return this.#dawn.createBindGroupLayout(descriptor);
  }

  createPipelineLayout(descriptor: DecodedGPUPipelineLayoutDescriptor): TargetPipelineLayout {
    return this.#dawn.createPipelineLayout(descriptor);
  }

  createBindGroup(descriptor: DecodedGPUBindGroupDescriptor): TargetBindGroup {
    const group = this.#dawn.createBindGroup(descriptor);
    keep(group, descriptor.entries);
    return group;
  }

  createShaderModule(descriptor: DecodedGPUShaderModuleDescriptor): TargetShaderModule {
    return this.#programs.module(descriptor as unknown as GPUShaderModuleDescriptor);
  }

  createComputePipeline(descriptor: DecodedGPUComputePipelineDescriptor): TargetComputePipeline {
    const { dawn } = this.#device;
    const native = descriptor as unknown as GPUComputePipelineDescriptor;
    return this.#programs.pipeline(
      native,
      () => dawn.createComputePipeline(native),
      () => invalidObject(dawn, "GPUComputePipeline", label) as GPUComputePipeline,
    ) as unknown as TargetComputePipeline;
  }

  createRenderPipeline(descriptor: DecodedGPURenderPipelineDescriptor): TargetRenderPipeline {
    const { dawn } = this.#device;
    const native = descriptor as unknown as GPURenderPipelineDescriptor;
    return this.#programs.pipeline(
      native,
      () => dawn.createRenderPipeline(native),
      () => invalidObject(dawn, "GPURenderPipeline", label) as GPURenderPipeline,
    ) as unknown as TargetRenderPipeline;
  }

  createCommandEncoder(descriptor: DecodedGPUCommandEncoderDescriptor): TargetCommandEncoder {
    const encoder = this.#dawn.createCommandEncoder(descriptor);
    this.#trail.begin(encoder);
    return encoder;
  }

  createRenderBundleEncoder(descriptor: DecodedGPURenderBundleEncoderDescriptor): TargetRenderBundleEncoder {
    const encoder = this.#dawn.createRenderBundleEncoder(descriptor);
    return new BundleRecorder(encoder);
  }

  pushErrorScope(filter: GPUErrorFilter): void {
    this.#dawn.pushErrorScope(filter);
    this.#device.scopes.push(filter);
  }
}
