/** Interfaces with a label and nothing else: what they are is known in the engine. */
import { InterfaceKind } from "parhelion-protocol";
import { defineInterface } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";

export class GPUSampler extends GPUObjectBase {}
defineInterface(GPUSampler, "GPUSampler", { kind: InterfaceKind.GPUSampler });

export class GPUTextureView extends GPUObjectBase {}
defineInterface(GPUTextureView, "GPUTextureView", { kind: InterfaceKind.GPUTextureView });

export class GPUBindGroupLayout extends GPUObjectBase {}
defineInterface(GPUBindGroupLayout, "GPUBindGroupLayout", { kind: InterfaceKind.GPUBindGroupLayout });

export class GPUPipelineLayout extends GPUObjectBase {}
defineInterface(GPUPipelineLayout, "GPUPipelineLayout", { kind: InterfaceKind.GPUPipelineLayout });

export class GPUBindGroup extends GPUObjectBase {}
defineInterface(GPUBindGroup, "GPUBindGroup", { kind: InterfaceKind.GPUBindGroup });

export class GPUCommandBuffer extends GPUObjectBase {}
defineInterface(GPUCommandBuffer, "GPUCommandBuffer", { kind: InterfaceKind.GPUCommandBuffer });

export class GPURenderBundle extends GPUObjectBase {}
defineInterface(GPURenderBundle, "GPURenderBundle", { kind: InterfaceKind.GPURenderBundle });
