/** GPUTexture: its attributes are the descriptor's, known at once; the rest is the engine's. */
import { type ConvertedGPUTextureDescriptor, encode, HANDLE, InterfaceKind, OWNER } from "parhelion-protocol";
import { create } from "./creation.js";
import { defineInterface, type INTERNAL } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";
import type { DeviceLink } from "./link/device-link.js";
import { GPUTextureView } from "./opaque-objects.js";

export class GPUTexture extends GPUObjectBase {
  readonly #descriptor: ConvertedGPUTextureDescriptor;

  constructor(key: typeof INTERNAL, link: DeviceLink, id: number, descriptor: ConvertedGPUTextureDescriptor) {
    super(key, link, id, descriptor.label);
    this.#descriptor = descriptor;
  }

  createView(descriptor: unknown = {}): GPUTextureView {
    return create(this[OWNER], GPUTextureView, (stream, id) =>
      encode.textureCreateView(stream, this[HANDLE], id, descriptor),
    );
  }

  destroy(): void {
    encode.textureDestroy(this[OWNER].stream, this[HANDLE]);
    this[OWNER].freed(this[HANDLE]);
  }

  get width(): number {
    return this.#descriptor.size.width;
  }

  get height(): number {
    return this.#descriptor.size.height;
  }

  get depthOrArrayLayers(): number {
    return this.#descriptor.size.depthOrArrayLayers;
  }

  get mipLevelCount(): number {
    return this.#descriptor.mipLevelCount;
  }

  get sampleCount(): number {
    return this.#descriptor.sampleCount;
  }

  get dimension(): string {
    return this.#descriptor.dimension;
  }

  get format(): string {
    return this.#descriptor.format;
  }

  get usage(): number {
    return this.#descriptor.usage;
  }

  /** Of compatibility mode; a device with "core-features-and-limits", as all of ours are, has none. */
  get textureBindingViewDimension(): undefined {
    return undefined;
  }
}
defineInterface(GPUTexture, "GPUTexture", { kind: InterfaceKind.GPUTexture });
