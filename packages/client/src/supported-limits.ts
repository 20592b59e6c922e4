/** GPUSupportedLimits: one getter a limit, over the numbers that the engine reported. */
import { defineInterface, INTERNAL, requireInternal } from "./interface/define.js";

const limitNames = [
  "maxTextureDimension1D",
  "maxTextureDimension2D",
  "maxTextureDimension3D",
  "maxTextureArrayLayers",
  "maxBindGroups",
  "maxBindGroupsPlusVertexBuffers",
  "maxImmediateSize",
  "maxBindingsPerBindGroup",
  "maxDynamicUniformBuffersPerPipelineLayout",
  "maxDynamicStorageBuffersPerPipelineLayout",
  "maxSampledTexturesPerShaderStage",
  "maxSamplersPerShaderStage",
  "maxStorageBuffersPerShaderStage",
  "maxStorageBuffersInVertexStage",
  "maxStorageBuffersInFragmentStage",
  "maxStorageTexturesPerShaderStage",
  "maxStorageTexturesInVertexStage",
  "maxStorageTexturesInFragmentStage",
  "maxUniformBuffersPerShaderStage",
  "maxUniformBufferBindingSize",
  "maxStorageBufferBindingSize",
  "minUniformBufferOffsetAlignment",
  "minStorageBufferOffsetAlignment",
  "maxVertexBuffers",
  "maxBufferSize",
  "maxVertexAttributes",
  "maxVertexBufferArrayStride",
  "maxInterStageShaderVariables",
  "maxColorAttachments",
  "maxColorAttachmentBytesPerSample",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

export type LimitName = (typeof limitNames)[number];

const VALUES: unique symbol = Symbol("values");

export class GPUSupportedLimits {
  readonly [VALUES]: Readonly<Record<string, number>>;

  constructor(key: typeof INTERNAL, values: Readonly<Record<string, number>>) {
    requireInternal(key);
    this[VALUES] = values;
  }
}

/** The class with its getters, which are made in a loop. */
export type SupportedLimits = GPUSupportedLimits & Readonly<Record<LimitName, number>>;

for (const name of limitNames) {
  const getter = Object.getOwnPropertyDescriptor(
    {
      get [name](): number {
        return (this as unknown as GPUSupportedLimits)[VALUES][name] ?? 0;
      },
    },
    name,
  );
  if (getter !== undefined) Object.defineProperty(GPUSupportedLimits.prototype, name, getter);
}
defineInterface(GPUSupportedLimits, "GPUSupportedLimits");

/** The limits an adapter or device has, under the names WebGPU knows; a limit that was not reported reads 0. */
export function supportedLimits(values: Readonly<Record<string, number>>): SupportedLimits {
  return new GPUSupportedLimits(INTERNAL, values) as SupportedLimits;
}
