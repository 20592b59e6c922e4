/** What `parhelion-client/register` gives a program: the names it would find in a browser. */
import { availableParallelism } from "node:os";
import { GPUAdapter } from "./adapter.js";
import { GPUAdapterInfo } from "./adapter-info.js";
import { GPUBuffer } from "./buffer.js";
import { GPUCommandEncoder } from "./command-encoder.js";
import { GPUCompilationInfo, GPUCompilationMessage } from "./compilation-info.js";
import { GPUComputePassEncoder } from "./compute-pass.js";
import { GPUDevice } from "./device.js";
import { GPUDeviceLostInfo } from "./device-lost-info.js";
import { GPUError, GPUInternalError, GPUOutOfMemoryError, GPUValidationError } from "./error.js";
import { GPUExternalTexture } from "./external-texture.js";
import { GPUBufferUsage, GPUColorWrite, GPUMapMode, GPUShaderStage, GPUTextureUsage } from "./flags.js";
import { GPU } from "./gpu.js";
import {
  GPUBindGroup,
  GPUBindGroupLayout,
  GPUCommandBuffer,
  GPUPipelineLayout,
  GPURenderBundle,
  GPUSampler,
  GPUTextureView,
} from "./opaque-objects.js";
import { GPUComputePipeline, GPURenderPipeline } from "./pipeline.js";
import { GPUPipelineError } from "./pipeline-error.js";
import { GPUQuerySet } from "./query-set.js";
import { GPUQueue } from "./queue.js";
import { GPURenderBundleEncoder } from "./render-bundle-encoder.js";
import { GPURenderPassEncoder } from "./render-pass.js";
import { GPUShaderModule } from "./shader-module.js";
import { GPUSlice, GPUSliceMemory, GPUSlices } from "./slice.js";
import { GPUSupportedFeatures, WGSLLanguageFeatures } from "./supported-features.js";
import { GPUSupportedLimits } from "./supported-limits.js";
import { GPUTexture } from "./texture.js";
import { GPUUncapturedErrorEvent } from "./uncaptured-error-event.js";

export const globals = Object.freeze({
  GPU,
  GPUAdapter,
  GPUAdapterInfo,
  GPUBindGroup,
  GPUBindGroupLayout,
  GPUBuffer,
  GPUBufferUsage,
  GPUColorWrite,
  GPUCommandBuffer,
  GPUCommandEncoder,
  GPUCompilationInfo,
  GPUCompilationMessage,
  GPUComputePassEncoder,
  GPUComputePipeline,
  GPUDevice,
  GPUDeviceLostInfo,
  GPUError,
  GPUExternalTexture,
  GPUInternalError,
  GPUMapMode,
  GPUOutOfMemoryError,
  GPUPipelineError,
  GPUPipelineLayout,
  GPUQuerySet,
  GPUQueue,
  GPURenderBundle,
  GPURenderBundleEncoder,
  GPURenderPassEncoder,
  GPURenderPipeline,
  GPUSampler,
  GPUShaderModule,
  GPUShaderStage,
  GPUSlice,
  GPUSliceMemory,
  GPUSlices,
  GPUSupportedFeatures,
  GPUSupportedLimits,
  GPUTexture,
  GPUTextureUsage,
  GPUTextureView,
  GPUUncapturedErrorEvent,
  GPUValidationError,
  WGSLLanguageFeatures,
});

/** A `globalThis` that has, or gets, these names. */
export type GlobalScope = object;

/**
 * Defines the interface objects and `navigator.gpu` on `scope`. What is there already stays: a program that brought its own
 * WebGPU keeps it.
 */
export function defineGlobals(scope: GlobalScope, gpu: GPU): void {
  for (const [name, value] of Object.entries(globals)) {
    if (name in scope) continue;
    Object.defineProperty(scope, name, { value, writable: true, configurable: true, enumerable: false });
  }
  const navigator = navigatorOf(scope);
  if ("gpu" in navigator) return;
  Object.defineProperty(navigator, "gpu", { get: () => gpu, configurable: true, enumerable: true });
}

/** Node has a `navigator` from version 21 on; before, programs get what that one says. */
function navigatorOf(scope: GlobalScope): object {
  const present: unknown = Reflect.get(scope, "navigator");
  if (typeof present === "object" && present !== null) return present;
  const navigator = {
    hardwareConcurrency: availableParallelism(),
    language: "en-US",
    languages: Object.freeze(["en-US"]),
    platform: process.platform,
    userAgent: `Node.js/${process.versions.node.split(".", 1)[0]}`,
  };
  Object.defineProperty(navigator, Symbol.toStringTag, { value: "Navigator", configurable: true });
  Object.defineProperty(scope, "navigator", {
    value: navigator,
    writable: true,
    configurable: true,
    enumerable: false,
  });
  return navigator;
}
