/** Interfaces with a label and nothing else: what they are is known in the engine. */
import { HANDLE, InterfaceKind, OWNER } from "parhelion-protocol";
import { defineInterface, INTERNAL } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";
import type { DeviceLink } from "./link/device-link.js";

export class GPUSampler extends GPUObjectBase {}
defineInterface(GPUSampler, "GPUSampler", { kind: InterfaceKind.GPUSampler });

export class GPUTextureView extends GPUObjectBase {}
defineInterface(GPUTextureView, "GPUTextureView", { kind: InterfaceKind.GPUTextureView });

export class GPUBindGroupLayout extends GPUObjectBase {
  /** The layout whose number this one shares, so that the engine keeps it. */
  readonly #original: GPUBindGroupLayout | undefined;

  constructor(
    key: typeof INTERNAL,
    link: DeviceLink,
    id: number,
    label: string,
    original?: GPUBindGroupLayout,
  ) {
    super(key, link, id, label);
    this.#original = original;
  }

  /** A fresh object for the same layout of the engine; it costs the engine nothing. */
  static again(layout: GPUBindGroupLayout): GPUBindGroupLayout {
    return new GPUBindGroupLayout(INTERNAL, layout[OWNER], layout[HANDLE], "", layout.#original ?? layout);
  }
}
defineInterface(GPUBindGroupLayout, "GPUBindGroupLayout", { kind: InterfaceKind.GPUBindGroupLayout });

export class GPUPipelineLayout extends GPUObjectBase {}
defineInterface(GPUPipelineLayout, "GPUPipelineLayout", { kind: InterfaceKind.GPUPipelineLayout });

export class GPUBindGroup extends GPUObjectBase {}
defineInterface(GPUBindGroup, "GPUBindGroup", { kind: InterfaceKind.GPUBindGroup });

export class GPUCommandBuffer extends GPUObjectBase {}
defineInterface(GPUCommandBuffer, "GPUCommandBuffer", { kind: InterfaceKind.GPUCommandBuffer });

export class GPURenderBundle extends GPUObjectBase {}
defineInterface(GPURenderBundle, "GPURenderBundle", { kind: InterfaceKind.GPURenderBundle });
