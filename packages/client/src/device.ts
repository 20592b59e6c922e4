/** GPUDevice: makes objects, and is where errors come out. */
import { getEventListeners } from "node:events";
import {
  type CommandStream,
  convertGPUBufferDescriptor,
  convertGPUQuerySetDescriptor,
  convertGPUTextureDescriptor,
  DEVICE_HANDLE,
  encode,
  HANDLE,
  InterfaceKind,
  KIND,
  OWNER,
  QUEUE_HANDLE,
  toText,
} from "parhelion-protocol";
import type { GPUAdapterInfo } from "./adapter-info.js";
import { checkMappedAtCreation, GPUBuffer } from "./buffer.js";
import { GPUCommandEncoder } from "./command-encoder.js";
import { create, createFrom } from "./creation.js";
import { type DeviceLostReason, GPUDeviceLostInfo } from "./device-lost-info.js";
import { type ErrorKind, type GPUError, gpuError } from "./error.js";
import { defineInterface, INTERNAL, requireInternal } from "./interface/define.js";
import type { DeviceEvents, DeviceLink } from "./link/device-link.js";
import { GPUBindGroup, GPUBindGroupLayout, GPUPipelineLayout, GPUSampler } from "./opaque-objects.js";
import { GPUComputePipeline, GPURenderPipeline } from "./pipeline.js";
import { GPUPipelineError } from "./pipeline-error.js";
import { GPUQuerySet } from "./query-set.js";
import { GPUQueue } from "./queue.js";
import { GPURenderBundleEncoder } from "./render-bundle-encoder.js";
import type { ClientRuntime } from "./runtime.js";
import { GPUShaderModule } from "./shader-module.js";
import type { GPUSlice } from "./slice.js";
import type { GPUSupportedFeatures } from "./supported-features.js";
import type { SupportedLimits } from "./supported-limits.js";
import { GPUTexture } from "./texture.js";
import { GPUUncapturedErrorEvent } from "./uncaptured-error-event.js";

const uncapturedError = "uncapturederror";
/** Of most formats; the engine is the one that counts. */
const USUAL_TEXEL_BYTES = 4;

/** What a device is made of. */
export interface DeviceParts {
  readonly link: DeviceLink;
  readonly runtime: ClientRuntime;
  readonly label: string;
  readonly queueLabel: string;
  readonly features: GPUSupportedFeatures;
  readonly limits: SupportedLimits;
  readonly adapterInfo: GPUAdapterInfo;
  readonly slice: GPUSlice | null;
}

export class GPUDevice extends EventTarget {
  readonly [HANDLE] = DEVICE_HANDLE;
  readonly [OWNER]: DeviceLink;
  declare readonly [KIND]: number;
  readonly #parts: DeviceParts;
  readonly #queue: GPUQueue;
  readonly #lost: Promise<GPUDeviceLostInfo>;
  #label: string;
  #handler: ((event: GPUUncapturedErrorEvent) => unknown) | null = null;
  readonly #callHandler = (event: Event): void => {
    if (this.#handler?.call(this, event as GPUUncapturedErrorEvent) === false) event.preventDefault();
  };

  constructor(key: typeof INTERNAL, parts: DeviceParts) {
    requireInternal(key);
    super();
    this[OWNER] = parts.link;
    this.#parts = parts;
    this.#label = parts.label;
    this.#queue = new GPUQueue(INTERNAL, parts.link, QUEUE_HANDLE, parts.queueLabel);
    this.#lost = new Promise((resolve) => {
      parts.link.attach(
        this.#events((reason, message) => resolve(new GPUDeviceLostInfo(INTERNAL, reason, message))),
      );
    });
  }

  get label(): string {
    return this.#label;
  }

  set label(value: unknown) {
    this.#label = toText(value, "GPUDevice.label");
    this[OWNER].setLabel(DEVICE_HANDLE, this.#label);
  }

  get features(): GPUSupportedFeatures {
    return this.#parts.features;
  }

  get limits(): SupportedLimits {
    return this.#parts.limits;
  }

  get adapterInfo(): GPUAdapterInfo {
    return this.#parts.adapterInfo;
  }

  /** Parhelion's own: the adapter's. */
  get slice(): GPUSlice | null {
    return this.#parts.slice;
  }

  get queue(): GPUQueue {
    return this.#queue;
  }

  get lost(): Promise<GPUDeviceLostInfo> {
    return this.#lost;
  }

  destroy(): void {
    this[OWNER].destroy();
  }

  createBuffer(descriptor: unknown): GPUBuffer {
    const converted = convertGPUBufferDescriptor(descriptor);
    checkMappedAtCreation(converted);
    const buffer = createFrom(this[OWNER], GPUBuffer, converted, encode.deviceCreateBuffer);
    this[OWNER].holds(buffer[HANDLE], converted.size);
    return buffer;
  }

  createTexture(descriptor: unknown): GPUTexture {
    const converted = convertGPUTextureDescriptor(descriptor);
    const texture = createFrom(this[OWNER], GPUTexture, converted, encode.deviceCreateTexture);
    const { width, height, depthOrArrayLayers } = converted.size;
    this[OWNER].holds(texture[HANDLE], width * height * depthOrArrayLayers * USUAL_TEXEL_BYTES);
    return texture;
  }

  createQuerySet(descriptor: unknown): GPUQuerySet {
    return createFrom(
      this[OWNER],
      GPUQuerySet,
      convertGPUQuerySetDescriptor(descriptor),
      encode.deviceCreateQuerySet,
    );
  }

  createSampler(descriptor: unknown = {}): GPUSampler {
    return create(this[OWNER], GPUSampler, (stream, id) =>
      encode.deviceCreateSampler(stream, DEVICE_HANDLE, id, descriptor),
    );
  }

  createBindGroupLayout(descriptor: unknown): GPUBindGroupLayout {
    return create(this[OWNER], GPUBindGroupLayout, (stream, id) =>
      encode.deviceCreateBindGroupLayout(stream, DEVICE_HANDLE, id, descriptor),
    );
  }

  createPipelineLayout(descriptor: unknown): GPUPipelineLayout {
    return create(this[OWNER], GPUPipelineLayout, (stream, id) =>
      encode.deviceCreatePipelineLayout(stream, DEVICE_HANDLE, id, descriptor),
    );
  }

  createBindGroup(descriptor: unknown): GPUBindGroup {
    return create(this[OWNER], GPUBindGroup, (stream, id) =>
      encode.deviceCreateBindGroup(stream, DEVICE_HANDLE, id, descriptor),
    );
  }

  createShaderModule(descriptor: unknown): GPUShaderModule {
    return create(this[OWNER], GPUShaderModule, (stream, id) =>
      encode.deviceCreateShaderModule(stream, DEVICE_HANDLE, id, descriptor),
    );
  }

  createComputePipeline(descriptor: unknown): GPUComputePipeline {
    return create(this[OWNER], GPUComputePipeline, (stream, id) =>
      encode.deviceCreateComputePipeline(stream, DEVICE_HANDLE, id, descriptor),
    );
  }

  createRenderPipeline(descriptor: unknown): GPURenderPipeline {
    return create(this[OWNER], GPURenderPipeline, (stream, id) =>
      encode.deviceCreateRenderPipeline(stream, DEVICE_HANDLE, id, descriptor),
    );
  }

  createComputePipelineAsync(descriptor: unknown): Promise<GPUComputePipeline> {
    return this.#createPipelineAsync(GPUComputePipeline, descriptor, encode.deviceCreateComputePipelineAsync);
  }

  createRenderPipelineAsync(descriptor: unknown): Promise<GPURenderPipeline> {
    return this.#createPipelineAsync(GPURenderPipeline, descriptor, encode.deviceCreateRenderPipelineAsync);
  }

  #createPipelineAsync<T extends object>(
    Class: new (key: typeof INTERNAL, link: DeviceLink, id: number, label: string) => T,
    descriptor: unknown,
    encodeIt: (
      stream: CommandStream,
      self: number,
      id: number,
      request: number,
      descriptor: unknown,
    ) => string,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const link = this[OWNER];
      let label = "";
      const id = link.allocate();
      const made = (): T => {
        const pipeline = new Class(INTERNAL, link, id, label);
        link.track(pipeline, id);
        return pipeline;
      };
      try {
        link.ask(
          {
            kind: "pipeline",
            created: () => resolve(made()),
            failed: (reason, message) => {
              link.release(id);
              reject(new GPUPipelineError(message, { reason }));
            },
          },
          (stream, request) => {
            label = encodeIt(stream, DEVICE_HANDLE, id, request, descriptor);
          },
        );
      } catch (error) {
        link.unallocate(id);
        throw error;
      }
    });
  }

  createCommandEncoder(descriptor: unknown = {}): GPUCommandEncoder {
    return create(this[OWNER], GPUCommandEncoder, (stream, id) =>
      encode.deviceCreateCommandEncoder(stream, DEVICE_HANDLE, id, descriptor),
    );
  }

  createRenderBundleEncoder(descriptor: unknown): GPURenderBundleEncoder {
    return create(this[OWNER], GPURenderBundleEncoder, (stream, id) =>
      encode.deviceCreateRenderBundleEncoder(stream, DEVICE_HANDLE, id, descriptor),
    );
  }

  importExternalTexture(_descriptor: unknown): never {
    throw new DOMException(
      "importExternalTexture: video frames exist in a page only; decode the frame and use writeTexture.",
      "NotSupportedError",
    );
  }

  pushErrorScope(filter: unknown): void {
    encode.devicePushErrorScope(this[OWNER].stream, DEVICE_HANDLE, filter);
  }

  popErrorScope(): Promise<GPUError | null> {
    return new Promise((resolve, reject) => {
      this[OWNER].ask(
        {
          kind: "error-scope",
          popped: resolve,
          failed: (message) => reject(new DOMException(message, "OperationError")),
        },
        (stream, request) => encode.devicePopErrorScope(stream, DEVICE_HANDLE, request),
      );
    });
  }

  get onuncapturederror(): ((event: GPUUncapturedErrorEvent) => unknown) | null {
    return this.#handler;
  }

  /** Its place among the listeners is where it was set from null; replacing the function keeps the place. */
  set onuncapturederror(handler: unknown) {
    const before = this.#handler;
    this.#handler = typeof handler === "function" ? (handler as (event: Event) => unknown) : null;
    if (before === null && this.#handler !== null) this.addEventListener(uncapturedError, this.#callHandler);
    if (before !== null && this.#handler === null)
      this.removeEventListener(uncapturedError, this.#callHandler);
  }

  #events(lost: (reason: DeviceLostReason, message: string) => void): DeviceEvents {
    return {
      lost,
      uncapturedError: (kind, message) => this.#dispatch(kind, message),
    };
  }

  #dispatch(kind: ErrorKind, message: string): void {
    if (getEventListeners(this, uncapturedError).length > 0) {
      const error = gpuError(kind, message);
      this.dispatchEvent(new GPUUncapturedErrorEvent(uncapturedError, { error, cancelable: true }));
    } else this.#parts.runtime.report(`Uncaptured WebGPU ${kind} error: ${message}`);
  }
}
defineInterface(GPUDevice, "GPUDevice", { kind: InterfaceKind.GPUDevice });
