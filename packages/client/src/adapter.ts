/** GPUAdapter: one opened adapter, good for one device. */
import { type ConvertedGPUDeviceDescriptor, convertGPUDeviceDescriptor } from "parhelion-protocol";
import { GPUAdapterInfo } from "./adapter-info.js";
import { GPUDevice } from "./device.js";
import { defineInterface, INTERNAL, requireInternal } from "./interface/define.js";
import {
  AdapterGoneError,
  type AdapterLink,
  DeviceRefusedError,
  type OpenedDevice,
} from "./link/adapter-source.js";
import { DeviceLink } from "./link/device-link.js";
import type { DeviceRegistry } from "./link/device-registry.js";
import { lostDevice } from "./link/lost-device.js";
import type { ClientRuntime } from "./runtime.js";
import { GPUSlice } from "./slice.js";
import { GPUSupportedFeatures } from "./supported-features.js";
import { type SupportedLimits, supportedLimits } from "./supported-limits.js";

export class GPUAdapter {
  readonly #link: AdapterLink;
  readonly #registry: DeviceRegistry;
  readonly #runtime: ClientRuntime;
  readonly #features: GPUSupportedFeatures;
  readonly #limits: SupportedLimits;
  readonly #info: GPUAdapterInfo;
  readonly #slice: GPUSlice | null;
  #state: "valid" | "consumed" = "valid";
  /** Settles when the request before was answered: only then is it known whether the adapter is consumed. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(key: typeof INTERNAL, link: AdapterLink, registry: DeviceRegistry, runtime: ClientRuntime) {
    requireInternal(key);
    this.#link = link;
    this.#registry = registry;
    this.#runtime = runtime;
    this.#features = new GPUSupportedFeatures(INTERNAL, link.description.features);
    this.#limits = supportedLimits(link.description.limits);
    this.#info = new GPUAdapterInfo(INTERNAL, link.description.info);
    this.#slice = link.slice === null ? null : new GPUSlice(INTERNAL, link.slice);
  }

  get features(): GPUSupportedFeatures {
    return this.#features;
  }

  get limits(): SupportedLimits {
    return this.#limits;
  }

  get info(): GPUAdapterInfo {
    return this.#info;
  }

  /** Parhelion's own: null when the adapter is no slice of another. */
  get slice(): GPUSlice | null {
    return this.#slice;
  }

  requestDevice(descriptor: unknown = {}): Promise<GPUDevice> {
    return new Promise((resolve, reject) => {
      const converted = convertGPUDeviceDescriptor(descriptor);
      this.#turn = this.#turn.then(() => this.#createDevice(converted)).then(resolve, reject);
    });
  }

  async #createDevice(descriptor: ConvertedGPUDeviceDescriptor): Promise<GPUDevice> {
    if (this.#state === "consumed") {
      throw new DOMException(
        "requestDevice: this adapter has given its one device; ask requestAdapter for another.",
        "OperationError",
      );
    }
    const opened = await this.#open(descriptor);
    this.#state = "consumed";
    const link = new DeviceLink(opened, this.#runtime, this.#link.slice);
    this.#registry.watch(link, opened);
    return new GPUDevice(INTERNAL, {
      link,
      runtime: this.#runtime,
      label: descriptor.label,
      queueLabel: descriptor.defaultQueue.label,
      features: new GPUSupportedFeatures(INTERNAL, opened.grant.features),
      limits: supportedLimits(opened.grant.limits),
      adapterInfo: new GPUAdapterInfo(INTERNAL, this.#link.description.info),
      slice: this.#slice,
    });
  }

  async #open(descriptor: ConvertedGPUDeviceDescriptor): Promise<OpenedDevice> {
    try {
      return await this.#link.createDevice({
        label: descriptor.label,
        requiredFeatures: descriptor.requiredFeatures,
        requiredLimits: descriptor.requiredLimits,
        defaultQueueLabel: descriptor.defaultQueue.label,
      });
    } catch (error) {
      // WebGPU's answer for an adapter that went away is a device that is lost from the start.
      if (error instanceof AdapterGoneError) return lostDevice(this.#link.description, error.message);
      if (error instanceof DeviceRefusedError) throw exceptionOf(error);
      throw error;
    }
  }
}
defineInterface(GPUAdapter, "GPUAdapter");

function exceptionOf(refusal: DeviceRefusedError): Error {
  const { name, message } = refusal;
  if (name === "TypeError") return new TypeError(message, { cause: refusal });
  return new DOMException(message, name);
}
